/* rnn_onednn.cpp -- oneDNN's side of scripts/bench, one request a line (see ../worker.lua):
**
**   train CELL H T B OPTIMIZER SECONDS     characters a second
**
** The RNN primitive alone, forward and backward, on vectors of 64 numbers: without
** read-out, loss, clip and update, and with weights that are never reordered after one.
** So this is more than a network built on oneDNN can reach. Other requests are answered
** by "- REASON". OMP_NUM_THREADS=1 makes it use one thread. */
#include <dnnl.hpp>

#include <chrono>
#include <cmath>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using Arguments = std::unordered_map<int, memory>;

static const engine cpu(engine::kind::cpu, 0);
static const memory::dim INPUT = 64;

static double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

/* Everything that a primitive may ask for, what it reads before what it writes. */
static const int PLACES[] = {
    DNNL_ARG_SRC_LAYER,      DNNL_ARG_SRC_ITER,           DNNL_ARG_SRC_ITER_C,
    DNNL_ARG_WEIGHTS_LAYER,  DNNL_ARG_WEIGHTS_ITER,       DNNL_ARG_BIAS,
    DNNL_ARG_DST_LAYER,      DNNL_ARG_DST_ITER,           DNNL_ARG_DST_ITER_C,
    DNNL_ARG_WORKSPACE,      DNNL_ARG_DIFF_DST_LAYER,     DNNL_ARG_DIFF_DST_ITER,
    DNNL_ARG_DIFF_DST_ITER_C};
static const int GRADIENTS[] = {
    DNNL_ARG_DIFF_SRC_LAYER,     DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C,
    DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS};

static memory filled(const memory::desc &form) {
  memory m(form, cpu);
  float *numbers = static_cast<float *>(m.get_data_handle());
  for (size_t i = 0; i < form.get_size() / sizeof(float); i++)
    numbers[i] = 0.05f * std::sin(static_cast<float>(i));
  return m;
}

/* The memory of a primitive; what `shared` has in the same form is used again. */
static Arguments arguments(const primitive_desc_base &primitive, const int *places,
                           size_t count, const Arguments &shared) {
  Arguments found;
  for (size_t i = 0; i < count; i++) {
    memory::desc form = primitive.query_md(query::exec_arg_md, places[i]);
    if (form.get_size() == 0) continue;
    auto old = shared.find(places[i]);
    bool same = old != shared.end() && old->second.get_desc() == form;
    found.emplace(places[i], same ? old->second : filled(form));
  }
  return found;
}

class Training {
public:
  template <class Forward, class Backward>
  Training(const Forward &forward_form, const Backward &backward_form)
      : forward(forward_form), backward(backward_form), queue(cpu) {
    given = arguments(forward_form, PLACES, std::size(PLACES), {});
    all = arguments(backward_form, PLACES, std::size(PLACES), given);
    gradients = arguments(backward_form, GRADIENTS, std::size(GRADIENTS), {});
    all.insert(gradients.begin(), gradients.end());
  }

  void step() {
    for (auto &gradient : gradients) /* the primitive adds */
      std::memset(gradient.second.get_data_handle(), 0,
                  gradient.second.get_desc().get_size());
    forward.execute(queue, given);
    backward.execute(queue, all);
    queue.wait();
  }

private:
  primitive forward, backward;
  stream queue;
  Arguments given, all, gradients;
};

/* --- the cells ------------------------------------------------------------------------ */

struct Sizes {
  memory::dim gates, biases, H, T, B;
};

static memory::desc form(const memory::dims &sizes,
                         memory::format_tag order = memory::format_tag::any) {
  return memory::desc(sizes, memory::data_type::f32, order);
}

static Training make(const std::string &cell, Sizes s) {
  using tag = memory::format_tag;
  auto train = prop_kind::forward_training, back = prop_kind::backward;
  auto way = rnn_direction::unidirectional_left2right;
  auto xs = form({s.T, s.B, INPUT}, tag::tnc), ys = form({s.T, s.B, s.H}, tag::tnc);
  auto state = form({1, 1, s.B, s.H}, tag::ldnc);
  auto W_x = form({1, 1, INPUT, s.gates, s.H}), W_h = form({1, 1, s.H, s.gates, s.H});
  auto b = form({1, 1, s.biases, s.H}, tag::ldgo);
  if (cell == "lstm") {
    lstm_forward::primitive_desc f({train, way, xs, state, state, W_x, W_h, b, ys, state,
                                    state}, cpu);
    lstm_backward::primitive_desc g({back, way, xs, state, state, W_x, W_h, b, ys, state,
                                     state, xs, state, state, W_x, W_h, b, ys, state,
                                     state}, cpu, f);
    return Training(f, g);
  }
  if (cell == "gru") { /* the reset gate after the product, as in PyTorch */
    lbr_gru_forward::primitive_desc f({train, way, xs, state, W_x, W_h, b, ys, state}, cpu);
    lbr_gru_backward::primitive_desc g({back, way, xs, state, W_x, W_h, b, ys, state, xs,
                                        state, W_x, W_h, b, ys, state}, cpu, f);
    return Training(f, g);
  }
  auto tanh = algorithm::eltwise_tanh;
  vanilla_rnn_forward::primitive_desc f({train, tanh, way, xs, state, W_x, W_h, b, ys,
                                         state}, cpu);
  vanilla_rnn_backward::primitive_desc g({back, tanh, way, xs, state, W_x, W_h, b, ys,
                                          state, xs, state, W_x, W_h, b, ys, state}, cpu, f);
  return Training(f, g);
}

static double rate(Training &training, double characters, double seconds) {
  double start = now();
  training.step();
  int count = static_cast<int>(seconds / (now() - start)) + 1;
  start = now();
  for (int i = 0; i < count; i++)
    training.step();
  return count * characters / (now() - start);
}

static double train(std::istream &words) {
  static std::map<std::string, Training> kept;
  static const std::map<std::string, Sizes> cells = {
      {"tanh", {1, 1, 0, 0, 0}}, {"lstm", {4, 4, 0, 0, 0}}, {"gru", {3, 4, 0, 0, 0}}};
  std::string cell, optimizer;
  memory::dim H, T, B;
  double seconds;
  words >> cell >> H >> T >> B >> optimizer >> seconds;
  auto known = cells.find(cell);
  if (!words || known == cells.end()) throw std::runtime_error("no such training here");
  std::ostringstream key;
  key << cell << ' ' << H << ' ' << T << ' ' << B;
  auto found = kept.find(key.str());
  if (found == kept.end()) {
    Sizes sizes = {known->second.gates, known->second.biases, H, T, B};
    found = kept.emplace(key.str(), make(cell, sizes)).first;
    found->second.step();
  }
  return rate(found->second, static_cast<double>(T * B), seconds);
}

int main() {
  std::string line, what;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    words >> what;
    try {
      if (what != "train") throw std::runtime_error("not measured here");
      double answer = train(words);
      std::cout << answer << std::endl;
    } catch (const std::exception &problem) {
      std::cout << "- " << problem.what() << std::endl;
    }
  }
}
