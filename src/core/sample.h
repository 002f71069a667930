/* sample.h -- tokens drawn from a language model, one after the other.
**
** The layers run with T = B = 1: row 1 of their states is the state after the token that
** was read last. Each token is read, and where the next one is not known it is drawn from
** the outputs of the read-out. Nothing but that is done for a token. */
#ifndef UN_SAMPLE_H
#define UN_SAMPLE_H

#include "cell.h"
#include "pick.h"
#include "random.h"
#include "readout.h"

typedef struct un_sampler {
  int layers;
  un_run *run; /* of each layer, packed; the first reads tokens, the others h below */
  const un_readout *readout; /* packed, y (1,V) */
  int64_t start;             /* the place of the first token in the text, from 0 */
  un_pick pick;              /* all but u */
  un_rng *rng;
  /* set by un_sample, for tokens that go up and down through the weights */
  un_ahead ahead[2];
  un_row_product out[2];
} un_sampler;

/* Reads tokens[0 .. wanted-2], 1-based, and fills in tokens[known .. wanted-1], known at
** least 1. Leaves early when it is to stop (stop.h). Fails when logits are not finite. */
UN_CHECKED bool un_sample(un_sampler *s, int32_t *tokens, int64_t known, int64_t wanted,
                          un_err *err);

#endif
