/* module.c -- opens unroll.core: the table that lua/unroll builds on. */
#include "unl.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "isa.h"

static const struct {
  const char *class_name, *short_name;
} classes[] = {{UNL_TENSOR, "tensor"}, {UNL_GENERATOR, "generator"}};

/* core.methods.tensor ...: method tables, so that Lua files can add to them. */
static void publish_methods(lua_State *L) {
  unl_subtable(L, "methods");
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    unl_pushmethods(L, classes[i].class_name);
    lua_setfield(L, -2, classes[i].short_name);
  }
  lua_pop(L, 1);
}

static void select_isa(lua_State *L) {
  const char *wanted = getenv("UNROLL_ISA");
  if (!un_isa_select(wanted && *wanted ? wanted : NULL))
    luaL_error(L,
               "UNROLL_ISA=%s: this machine has no such instruction set "
               "(generic, avx2 and avx512 exist)",
               wanted);
  lua_pushstring(L, un_isa_name());
  lua_setfield(L, -2, "isa");
}

/*---
--- core: what is written in C: the modules and classes that lua/unroll is made of.
--- Scripts use those of `unroll`; only `tensor` is the same table.
core = {}

--- The version of unroll: "major.minor.patch".
core.version = {}

--- The instruction set whose kernels run: "generic", "avx2" or "avx512". The best one
--- of the machine, or what the environment variable UNROLL_ISA says.
core.isa = {}

--- The OpenBLAS that multiplies: its version and the kernels it chose for this machine.
core.blas = {}

--- core.sys: files, processes, clock, terminal, Ctrl-C and threads. What the outside
--- world refuses comes back as nil and a message.
core.sys = {}

--- core.optim: the update rules as functions on flat tensors; scripts use `optim`. All
--- tensors of a call have one shape and dtype and are contiguous.
core.optim = {}

--- core.loss: losses with their gradients, and drawing from logits; scripts use models.
core.loss = {}

--- core.cell: the built-in cells and their runs over windows; scripts use `rnn.cell`.
core.cell = {}

--- core.text: symbols, tokens, windows and entropies; scripts use `text.corpus`.
core.text = {}

--- core.canvas: pages to draw on, and what charts need to know of series of numbers;
--- scripts use `plot.figure`. Lengths are points (1/72 inch), y grows downwards.
core.canvas = {}

--- core.train: the steps and the history of a training; scripts use `train.fit`.
core.train = {}

--- core.profile: counts and times of the phases of a computation.
core.profile = {}
*/
/* core.blas: "OpenBLAS 0.3.21 SkylakeX" */
static void push_blas_name(lua_State *L) {
  char words[2][32] = {"BLAS", ""};
  sscanf(openblas_get_config(), "%31s %31s", words[0], words[1]);
  lua_pushfstring(L, "%s %s %s", words[0], words[1], openblas_get_corename());
}

int unl_open(lua_State *L) {
  luaL_checkversion(L);
  lua_newtable(L);
  select_isa(L);
  unl_open_class(L);
  unl_open_sys(L);
  unl_open_process(L);
  unl_open_parallel(L);
  unl_open_profile(L);
  unl_open_tensor(L);
  unl_open_ops(L);
  unl_open_reduce(L);
  unl_open_matmul(L);
  unl_open_vjp(L);
  unl_open_sort(L);
  unl_open_linalg(L);
  unl_open_create(L);
  unl_open_convert(L);
  unl_open_index(L);
  unl_open_shape(L);
  unl_open_gather(L);
  unl_open_random(L);
  unl_open_optim(L);
  unl_open_bytes(L);
  unl_open_canvas(L);
  unl_open_series(L);
  unl_open_text(L);
  unl_open_textfile(L);
  unl_open_cell(L);
  unl_open_loss(L);
  unl_open_readout(L);
  unl_open_window(L);
  unl_open_history(L);
  unl_open_step(L);
  unl_open_sample(L);
  publish_methods(L);
  push_blas_name(L);
  lua_setfield(L, -2, "blas");
  lua_pushliteral(L, UNROLL_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}
