/* isa/tanh_table.h -- tanh of a vector of floats, piece by piece, where a whole table can be
** looked up in registers (AVX-512).
**
** |x| up to 12 is cut into pieces: one up to 5/64, then four in each octave. In a piece with
** center c, where d = |x| - c,
**     tanh(|x|) = C0 + C1 d + C2 d^2 + C3 d^3 + C4 d^4 + C5 d^5
** interpolates tanh at Chebyshev nodes; the first piece has c = C0 = C2 = 0 and C1 = 1. The other
** centers lie about in the middle, where tanh(c) is nearly a float: C0 is exact. There is no
** exponential and no division: the result is there after half the time, which is what counts
** when each step of a sequence waits for the one before. Columns are in the order of the five
** bits that tell the pieces apart: the last three of the exponent and the first two behind it.
**
** Largest error, over all floats: 1.76 ulp. */
#ifndef UN_TANH_TABLE_H
#define UN_TANH_TABLE_H

#include "vec.h"

enum { TANH_CENTER, TANH_C0, TANH_C1, TANH_C2, TANH_C3, TANH_C4, TANH_C5, TANH_ROWS };

static const float tanh_table[TANH_ROWS][32] __attribute__((aligned(64))) = {
    {2.24566531f,  2.75449061f,  3.25347471f,  3.74624276f,   4.32595873f,
     5.44625521f,  6.54728699f,  7.69138384f,  8.66436958f,   11.0f,
     13.0f,        15.0f,        0.0f,         0.0859171823f, 0.101425037f,
     0.117244042f, 0.140745655f, 0.171805307f, 0.203154668f,  0.234667853f,
     0.280862212f, 0.34428668f,  0.40666914f,  0.468853414f,  0.562225997f,
     0.686773598f, 0.81212461f,  0.938047171f, 1.12448561f,   1.3771776f,
     1.62585306f,  1.87613201f},
    {0.977836907f, 0.991932213f, 0.997018397f, 0.998886108f,  0.999650478f,
     0.999962807f, 0.999995887f, 0.999999583f, 0.99999994f,   1.0f,
     1.0f,         1.0f,         0.0f,         0.0857063979f, 0.101078674f,
     0.116709761f, 0.139823601f, 0.170134634f, 0.200405195f,  0.230453029f,
     0.27370289f,  0.331298977f, 0.38564083f,  0.437272429f,  0.509627163f,
     0.595905304f, 0.670760632f, 0.73432374f,  0.809123516f,  0.880317688f,
     0.925468743f, 0.954146802f},
    {0.0438349694f,
     0.0160704963f,
     0.00595432054f,
     0.00222654105f,
     0.000698795135f,
     7.43745913e-05f,
     8.2267361e-06f,
     8.34698483e-07f,
     1.18602451e-07f,
     1.11626841e-09f,
     2.04451699e-11f,
     3.74466354e-13f,
     1.0f,
     0.992654443f,
     0.989783108f,
     0.986378849f,
     0.980449378f,
     0.971054196f,
     0.959837735f,
     0.946891427f,
     0.925086737f,
     0.890240967f,
     0.851281166f,
     0.80879283f,
     0.740280151f,
     0.644896865f,
     0.55008018f,
     0.46076864f,
     0.345319152f,
     0.225040764f,
     0.1435076f,
     0.0896038786f},
    {-0.0428618863f,
     -0.0159396417f,
     -0.0059360317f,
     -0.00222385279f,
     -0.000699091877f,
     -7.42903649e-05f,
     -8.21344202e-06f,
     -8.35966205e-07f,
     -1.19889208e-07f,
     -1.08486797e-09f,
     -1.98700518e-11f,
     -3.6393268e-13f,
     0.0f,
     -0.0850768313f,
     -0.100045964f,
     -0.115120038f,
     -0.137089953f,
     -0.165209949f,
     -0.192356467f,
     -0.21821399f,
     -0.253198862f,
     -0.294935882f,
     -0.328288734f,
     -0.353662759f,
     -0.377266556f,
     -0.384297371f,
     -0.368972182f,
     -0.338353515f,
     -0.279408365f,
     -0.198108867f,
     -0.132812366f,
     -0.0854953453f},
    {0.0273032263f,   0.0104542486f,   0.00393363833f,  0.001479481f,
     0.000469236693f, 4.97980618e-05f, 5.45214561e-06f, 5.48938829e-07f,
     8.38567757e-08f, 7.35222161e-10f, 1.34660642e-11f, 2.46639569e-13f,
     -0.333333433f,   -0.323593169f,   -0.319815189f,   -0.315357298f,
     -0.307648063f,   -0.295576781f,   -0.281396687f,   -0.265342414f,
     -0.239060804f,   -0.199035257f,   -0.157159001f,   -0.114950664f,
     -0.0544946268f,  0.0140392464f,   0.0641317144f,   0.0948715135f,
     0.110966913f,    0.0993867144f,   0.0750780329f,   0.0517072938f},
    {-0.0124766054f,   -0.00510817254f,  -0.00196612766f,  -0.000745361845f,
     -0.000231639104f, -2.5876805e-05f,  -2.87204966e-06f, -2.66893949e-07f,
     -4.04141964e-08f, -4.52571064e-10f, -8.28912806e-12f, -1.51820681e-13f,
     2.08508864e-05f,  0.056090083f,     0.0656718239f,    0.0751748309f,
     0.0886954516f,    0.10533727f,      0.120489232f,     0.133862287f,
     0.149726361f,     0.164147228f,     0.169939682f,     0.16806978f,
     0.153309017f,     0.119664714f,     0.0800158828f,    0.0432178006f,
     0.00378299272f,   -0.0211985502f,   -0.0251152422f,   -0.0208228454f},
    {0.00397852808f,  0.00191317464f,  0.000769519655f, 0.000292235956f,
     6.79071672e-05f, 9.22523395e-06f, 1.24914141e-06f, 1.69064663e-07f,
     9.35830613e-09f, 1.71403489e-10f, 3.13936442e-12f, 5.74994628e-14f,
     0.132778838f,    0.125107616f,    0.121927582f,    0.118274607f,
     0.111953393f,    0.102143951f,    0.0909789726f,   0.0787467733f,
     0.0590575002f,   0.0319528244f,   0.0059238649f,   -0.0171651114f,
     -0.0435074829f,  -0.0615942068f,  -0.0626845509f,  -0.053066019f,
     -0.0320285298f,  -0.00949542131f, 0.00140635262f,  0.00460564625f},
};

ALWAYS_INLINE vec_f32 tanh_entry(__m512i piece, int row) {
  const float *entry = tanh_table[row];
  return (vec_f32)_mm512_permutex2var_ps(_mm512_load_ps(entry), piece,
                                         _mm512_load_ps(entry + 16));
}

ALWAYS_INLINE vec_f32 vtanh_f32(vec_f32 x) {
  const vec_f32 first = all_f32(0.0625f), end = all_f32(11.0f);
  const __m512 a = _mm512_min_ps((__m512)end, _mm512_abs_ps((__m512)x)); /* NaN stays */
  const __m512i piece =
      _mm512_srli_epi32(_mm512_castps_si512(_mm512_max_ps(a, (__m512)first)), 21);
  const vec_f32 d = (vec_f32)a - tanh_entry(piece, TANH_CENTER), d2 = d * d;
  const vec_f32 q01 = tanh_entry(piece, TANH_C1) * d + tanh_entry(piece, TANH_C0);
  const vec_f32 q23 = tanh_entry(piece, TANH_C3) * d + tanh_entry(piece, TANH_C2);
  const vec_f32 q45 = tanh_entry(piece, TANH_C5) * d + tanh_entry(piece, TANH_C4);
  const __m512i y = _mm512_castps_si512((__m512)((q45 * d2 + q23) * d2 + q01));
  const __m512i sign = _mm512_castps_si512(_mm512_set1_ps(-0.0f));
  /* y, with the sign of x */
  return (vec_f32)_mm512_castsi512_ps(
      _mm512_ternarylogic_epi32(sign, _mm512_castps_si512((__m512)x), y, 0xca));
}

#endif
