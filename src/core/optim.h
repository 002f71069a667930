/* optim.h -- update rules of the optimisers, and the norm of a gradient.
**
** One call updates one parameter tensor in one pass over the parameter p, its gradient
** g and the state of the rule. With all parameters of a model in one flat tensor, that
** is one call for a model. The rules are PyTorch's, term by term:
**
** every rule but adamw     g' = g + weight_decay p        (adamw: p <- (1 - lr wd) p)
** sgd       m <- momentum m + (1 - dampening) g'          p <- p - lr m
**           nesterov: p <- p - lr (g' + momentum m); without momentum: p <- p - lr g'
** adagrad   s <- s + g'^2             p <- p - lr / (1 + (t-1) lr_decay) g' / (sqrt s +
** eps) rmsprop   v <- alpha v + (1 - alpha) g'^2               d = g' / (sqrt v + eps)
**           centered: a <- alpha a + (1 - alpha) g',      d = g' / (sqrt(v - a^2) +
** eps)
**           p <- p - lr d; with momentum: b <- momentum b + d, p <- p - lr b
** adam(w)   m <- beta1 m + (1 - beta1) g'                 v <- beta2 v + (1 - beta2)
** g'^2
**           p <- p - lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)
** t = 1, 2, ... is the number of the step. Gradients are read, never changed. */
#ifndef UN_OPTIM_H
#define UN_OPTIM_H

#include "un.h"

typedef enum un_optim_rule {
  UN_SGD,
  UN_ADAGRAD,
  UN_RMSPROP,
  UN_ADAM,
  UN_ADAMW,
  UN_OPTIM_RULES
} un_optim_rule;

/* What an update works on; the state follows the gradient:
** sgd: m, or NULL without momentum; adagrad: s; rmsprop: v, a or NULL (not centered),
** b or NULL (no momentum); adam, adamw: m, v. */
enum {
  UN_OPTIM_P,
  UN_OPTIM_G,
  UN_OPTIM_S1,
  UN_OPTIM_S2,
  UN_OPTIM_S3,
  UN_OPTIM_TENSORS
};

typedef struct un_optim_options {
  double lr, weight_decay, eps;
  double momentum, dampening;
  double lr_decay, alpha, beta1, beta2;
  int64_t t; /* the number of this step, from 1 */
  bool nesterov;
} un_optim_options;

/* One line of n neighbouring elements of each tensor. */
typedef void un_optim_kernel(int64_t n, void *const line[UN_OPTIM_TENSORS],
                             const un_optim_options *o);
typedef struct un_optim_kernels {
  un_optim_kernel *update[UN_OPTIM_RULES][2]; /* float32, float64 */
  /* sum of (scale x)^2 added to sum[0]; the largest |x|, unless sum[1] is larger, put
  ** there (NaN is skipped) */
  void (*measure[2])(int64_t n, const void *x, int64_t stride, double scale,
                     double sum[2]);
  void (*scale[2])(int64_t n, void *x, int64_t stride, double factor);
  void (*clamp[2])(int64_t n, void *x, int64_t stride, double limit);
} un_optim_kernels;

/* All tensors must have one shape and one real dtype; p and the state are written and may
** not overlap anything else. Any strides; contiguous is fast. */
UN_CHECKED bool un_optim_check(un_optim_rule rule,
                               const un_view *const tensor[UN_OPTIM_TENSORS],
                               un_err *err);

/* One update of what passed the check. */
void un_optim_update(un_optim_rule rule, const un_view *const tensor[UN_OPTIM_TENSORS],
                     const un_optim_options *o);

/* The Euclidean norm of a real tensor: squares are added up in fours in its dtype, which
** costs a float32 norm at most 2e-7 of itself, then in double, rescaled where they would
** overflow or vanish. NaN if any element is, else infinite if any element is. */
double un_norm(const un_view *x);

/* The same, and in *max_abs the largest |x|, of what is not NaN. */
double un_norm_and_max(const un_view *x, double *max_abs);

/* x clamped to -limit .. limit. */
void un_clamp(const un_view *x, double limit);

/* x <- factor x for a real tensor that is no broadcast. The product is made in double
** and
** rounded once: the factor that brings a huge gradient down to size may be too small
** for a float32. */
void un_scale(const un_view *x, double factor);

#endif
