// The ops as TensorFlow sees them: signatures and shape functions.

#include "absl/status/status.h"
#include "cc/cells/list.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace contrib_rnn {
namespace {

using ::tensorflow::shape_inference::DimensionHandle;
using ::tensorflow::shape_inference::InferenceContext;
using ::tensorflow::shape_inference::ShapeHandle;

// The sizes that the inputs of a call agree on.
struct Sizes {
  ShapeHandle inputs;  // projected: [..., gates * units]
  bool is_step = false;
  DimensionHandle time, batch, units;
};

// In a step, a batch of 1 is broadcast as TensorFlow's addition would.
absl::Status MergeBatch(InferenceContext* c, bool is_step, DimensionHandle a,
                        DimensionHandle b, DimensionHandle* merged) {
  if (!is_step || (c->ValueKnown(a) && c->ValueKnown(b) && c->Value(a) != 1 &&
                   c->Value(b) != 1)) {
    return c->Merge(a, b, merged);
  }
  if (c->ValueKnown(a) && c->Value(a) != 1) {
    *merged = a;
  } else if (c->ValueKnown(b) && c->Value(b) != 1) {
    *merged = b;
  } else if (c->ValueKnown(a) && c->ValueKnown(b)) {
    *merged = a;  // both 1
  } else {
    *merged = c->UnknownDim();
  }
  return absl::OkStatus();
}

// Merges the sizes of recurrent_kernel and bias, given in several parts.
absl::Status MergeParts(InferenceContext* c, int parts,
                        DimensionHandle* gate_units) {
  DimensionHandle sum = c->MakeDim(int64_t{0});
  for (int i = 0; i < parts; ++i) {
    ShapeHandle kernel, bias;
    DimensionHandle width, unused;
    TF_RETURN_IF_ERROR(c->WithRank(c->input(1 + i), 2, &kernel));
    TF_RETURN_IF_ERROR(c->WithValue(c->Dim(kernel, 0), 1, &unused));
    TF_RETURN_IF_ERROR(c->WithRank(c->input(1 + parts + i), 1, &bias));
    TF_RETURN_IF_ERROR(c->Merge(c->Dim(kernel, 1), c->Dim(bias, 0), &width));
    TF_RETURN_IF_ERROR(c->Add(sum, width, &sum));
  }
  return c->Merge(*gate_units, sum, gate_units);
}

// A bias has one row or two.
absl::Status MergeBias(InferenceContext* c, DimensionHandle* gate_units) {
  ShapeHandle bias;
  DimensionHandle unused;
  TF_RETURN_IF_ERROR(c->WithRankAtLeast(c->input(2), 1, &bias));
  TF_RETURN_IF_ERROR(c->WithRankAtMost(bias, 2, &bias));
  if (!c->RankKnown(bias)) return absl::OkStatus();
  if (c->Rank(bias) == 2) {
    TF_RETURN_IF_ERROR(c->WithValue(c->Dim(bias, 0), 2, &unused));
  }
  return c->Merge(*gate_units, c->Dim(bias, -1), gate_units);
}

absl::Status MergeWeights(InferenceContext* c, int parts,
                          DimensionHandle* gate_units) {
  ShapeHandle shape;
  DimensionHandle unused;
  if (parts > 1) return MergeParts(c, parts, gate_units);
  TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 2, &shape));
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(shape, 0), 1, &unused));
  *gate_units = c->Dim(shape, 1);
  return MergeBias(c, gate_units);
}

// Of recurrent_kernel, and of bias.
absl::Status GetParts(InferenceContext* c, int* parts) {
  int more;
  TF_RETURN_IF_ERROR(c->GetAttr("num_more", &more));
  *parts = 1 + more;
  return absl::OkStatus();
}

// Inputs are: inputs, the parts of recurrent_kernel, those of bias, `states`
// initial states, sequence_length. With rank unknown, Sizes::inputs has no rank
// either.
absl::Status MergeSizes(InferenceContext* c, int gates, int states,
                        Sizes* sizes) {
  ShapeHandle shape;
  DimensionHandle gate_units = c->UnknownDim();
  int parts;
  TF_RETURN_IF_ERROR(GetParts(c, &parts));
  const int initial_states = 1 + 2 * parts;
  sizes->inputs = c->input(0);
  sizes->units = c->UnknownDim();
  sizes->time = sizes->batch = c->UnknownDim();
  TF_RETURN_IF_ERROR(MergeWeights(c, parts, &gate_units));
  if (c->RankKnown(sizes->inputs)) {
    TF_RETURN_IF_ERROR(c->WithRankAtLeast(sizes->inputs, 2, &sizes->inputs));
    TF_RETURN_IF_ERROR(c->WithRankAtMost(sizes->inputs, 3, &sizes->inputs));
    TF_RETURN_IF_ERROR(
        c->Merge(gate_units, c->Dim(sizes->inputs, -1), &gate_units));
    sizes->is_step = c->Rank(sizes->inputs) == 2;
    bool time_major;
    TF_RETURN_IF_ERROR(c->GetAttr("time_major", &time_major));
    const int batch_axis = sizes->is_step || !time_major ? 0 : 1;
    sizes->batch = c->Dim(sizes->inputs, batch_axis);
    if (!sizes->is_step) sizes->time = c->Dim(sizes->inputs, 1 - batch_axis);
  }
  TF_RETURN_IF_ERROR(
      c->Divide(gate_units, gates, /*evenly_divisible=*/true, &sizes->units));
  const bool known = c->RankKnown(sizes->inputs);
  for (int i = 0; i < states; ++i) {
    TF_RETURN_IF_ERROR(c->WithRank(c->input(initial_states + i), 2, &shape));
    TF_RETURN_IF_ERROR(c->Merge(sizes->units, c->Dim(shape, 1), &sizes->units));
    if (!known) continue;
    TF_RETURN_IF_ERROR(MergeBatch(c, sizes->is_step, sizes->batch,
                                  c->Dim(shape, 0), &sizes->batch));
  }
  int lengths;
  TF_RETURN_IF_ERROR(c->GetAttr("num_lengths", &lengths));
  if (lengths > 1 || (lengths == 1 && sizes->is_step)) {
    return absl::InvalidArgumentError(
        "sequence_length: at most one vector, and for sequences (inputs of "
        "rank 3) only");
  }
  if (lengths == 1) {
    TF_RETURN_IF_ERROR(
        c->WithRank(c->input(initial_states + states), 1, &shape));
    if (known) {
      TF_RETURN_IF_ERROR(
          c->Merge(sizes->batch, c->Dim(shape, 0), &sizes->batch));
    }
  }
  return absl::OkStatus();
}

// Outputs: every state along time, h first; then the final states, which a
// step leaves empty because the former are the same.
absl::Status ForwardShapes(InferenceContext* c, int gates, int states) {
  Sizes sizes;
  TF_RETURN_IF_ERROR(MergeSizes(c, gates, states, &sizes));
  ShapeHandle sequence = c->UnknownShape();
  ShapeHandle final_state = c->UnknownShape();
  if (c->RankKnown(sizes.inputs)) {
    ShapeHandle state = c->Matrix(sizes.batch, sizes.units);
    final_state = sizes.is_step ? c->Vector(int64_t{0}) : state;
    sequence = state;
    if (!sizes.is_step) {
      bool time_major;
      TF_RETURN_IF_ERROR(c->GetAttr("time_major", &time_major));
      sequence = time_major
                     ? c->MakeShape({sizes.time, sizes.batch, sizes.units})
                     : c->MakeShape({sizes.batch, sizes.time, sizes.units});
    }
  }
  for (int i = 0; i < states; ++i) {
    c->set_output(i, sequence);
    c->set_output(states + i, final_state);
  }
  return absl::OkStatus();
}

// The gradients have the shapes of what they are the gradients of.
absl::Status GradientShapes(InferenceContext* c, int gates, int states) {
  Sizes sizes;
  TF_RETURN_IF_ERROR(MergeSizes(c, gates, states, &sizes));
  int parts;
  TF_RETURN_IF_ERROR(GetParts(c, &parts));
  for (int i = 0; i < 1 + 2 * parts + states; ++i) {
    c->set_output(i, c->input(i));
  }
  return absl::OkStatus();
}

// What all of the ops share: attributes of their own follow.
//
// num_more counts the parts after the first. Not all of them: a SavedModel
// leaves out attributes that have their default, and what loads it then takes
// the length of a list of outputs for 0.
#define CONTRIB_RNN_ATTRIBUTES()                                        \
  Attr("T: {half, bfloat16, float, double}")                            \
      .Attr("num_more: int >= 0 = 0")                                   \
      .Attr("num_lengths: int >= 0 = 0")                                \
      .Attr(                                                            \
          "activation: {'tanh', 'sigmoid', 'relu', 'identity', 'elu', " \
          "'softsign'} = 'tanh'")                                       \
      .Attr("gate_order: {'contrib', 'keras'} = 'contrib'")             \
      .Attr("time_major: bool = false")                                 \
      .Attr("reverse: bool = false")

constexpr char kForwardDoc[] = R"doc(
Runs a cell with an element-wise recurrence along time, or one step of it.

inputs: The projected inputs x W. A sequence of [batch, time, gates * units],
  or [time, batch, gates * units] if `time_major`; or a step of
  [batch, gates * units], for which `time_major` and `reverse` mean nothing.
recurrent_kernel: [1, gates * units]; or the first of its parts, which lie side
  by side, as variables of their own hold them.
more_recurrent_kernels: The other parts.
bias: As many parts. [gates * units] in all; or, if there is one part,
  [2, gates * units]: the second row is added to what the state brings, which is
  another thing for the IndyGRU's candidate.
gate_order: Of the gates in the three above: r, z, c and i, j, f, o as in
  tf.contrib.rnn, or z, r, c and i, f, j, o as in Keras. The SRU's are s, f, r,
  t in both.
sequence_length: None, or one vector of [batch] for sequences. A length past
  the end counts as the end, a negative one as 0. Outputs past it are zeros.
outputs: [batch, time, units] or as `inputs` are; [batch, units] for a step.
reverse: Each sequence from its own end to its start.

The final states have shape [batch, units]; a step leaves them empty ([0])
because the outputs are the same. In a step, inputs or initial states of batch
1 serve the whole batch of the other.
)doc";

constexpr char kGradientDoc[] = R"doc(
The gradient of the forward op of the same name.

An incoming gradient of no elements counts as zeros.
)doc";

#define CONTRIB_RNN_REGISTER_OP_OF_1(Name, gates, attributes)              \
  REGISTER_OP("ContribRnn>" Name)                                          \
      .Input("inputs: T")                                                  \
      .Input("recurrent_kernel: T")                                        \
      .Input("more_recurrent_kernels: num_more * T")                       \
      .Input("bias: T")                                                    \
      .Input("more_biases: num_more * T")                                  \
      .Input("initial_state: T")                                           \
      .Input("sequence_length: num_lengths * int32")                       \
      .Output("outputs: T")                                                \
      .Output("final_state: T")                                            \
      .CONTRIB_RNN_ATTRIBUTES() attributes                                 \
      .SetShapeFn(                                                         \
          [](InferenceContext* c) { return ForwardShapes(c, gates, 1); })  \
      .Doc(kForwardDoc);                                                   \
  REGISTER_OP("ContribRnn>" Name "Grad")                                   \
      .Input("inputs: T")                                                  \
      .Input("recurrent_kernel: T")                                        \
      .Input("more_recurrent_kernels: num_more * T")                       \
      .Input("bias: T")                                                    \
      .Input("more_biases: num_more * T")                                  \
      .Input("initial_state: T")                                           \
      .Input("sequence_length: num_lengths * int32")                       \
      .Input("outputs: T")                                                 \
      .Input("outputs_gradient: T")                                        \
      .Input("final_state_gradient: T")                                    \
      .Output("inputs_gradient: T")                                        \
      .Output("recurrent_kernel_gradient: T")                              \
      .Output("more_recurrent_kernel_gradients: num_more * T")             \
      .Output("bias_gradient: T")                                          \
      .Output("more_bias_gradients: num_more * T")                         \
      .Output("initial_state_gradient: T")                                 \
      .CONTRIB_RNN_ATTRIBUTES() attributes                                 \
      .SetShapeFn(                                                         \
          [](InferenceContext* c) { return GradientShapes(c, gates, 1); }) \
      .Doc(kGradientDoc)

// The order of states is h, c in outputs (the outputs are h), and c, h in
// final states, as LSTMStateTuple has them.
#define CONTRIB_RNN_REGISTER_OP_OF_2(Name, gates, attributes)              \
  REGISTER_OP("ContribRnn>" Name)                                          \
      .Input("inputs: T")                                                  \
      .Input("recurrent_kernel: T")                                        \
      .Input("more_recurrent_kernels: num_more * T")                       \
      .Input("bias: T")                                                    \
      .Input("more_biases: num_more * T")                                  \
      .Input("initial_c: T")                                               \
      .Input("initial_h: T")                                               \
      .Input("sequence_length: num_lengths * int32")                       \
      .Output("outputs: T")                                                \
      .Output("cells: T")                                                  \
      .Output("final_c: T")                                                \
      .Output("final_h: T")                                                \
      .CONTRIB_RNN_ATTRIBUTES() attributes                                 \
      .SetShapeFn(                                                         \
          [](InferenceContext* c) { return ForwardShapes(c, gates, 2); })  \
      .Doc(kForwardDoc);                                                   \
  REGISTER_OP("ContribRnn>" Name "Grad")                                   \
      .Input("inputs: T")                                                  \
      .Input("recurrent_kernel: T")                                        \
      .Input("more_recurrent_kernels: num_more * T")                       \
      .Input("bias: T")                                                    \
      .Input("more_biases: num_more * T")                                  \
      .Input("initial_c: T")                                               \
      .Input("initial_h: T")                                               \
      .Input("sequence_length: num_lengths * int32")                       \
      .Input("outputs: T")                                                 \
      .Input("cells: T")                                                   \
      .Input("outputs_gradient: T")                                        \
      .Input("cells_gradient: T")                                          \
      .Input("final_c_gradient: T")                                        \
      .Input("final_h_gradient: T")                                        \
      .Output("inputs_gradient: T")                                        \
      .Output("recurrent_kernel_gradient: T")                              \
      .Output("more_recurrent_kernel_gradients: num_more * T")             \
      .Output("bias_gradient: T")                                          \
      .Output("more_bias_gradients: num_more * T")                         \
      .Output("initial_c_gradient: T")                                     \
      .Output("initial_h_gradient: T")                                     \
      .CONTRIB_RNN_ATTRIBUTES() attributes                                 \
      .SetShapeFn(                                                         \
          [](InferenceContext* c) { return GradientShapes(c, gates, 2); }) \
      .Doc(kGradientDoc)

// `forget_bias_rest` is what a float can't hold of a double.
#define CONTRIB_RNN_ATTRIBUTES_OF_ForgetBias \
  .Attr("forget_bias: float = 1.0").Attr("forget_bias_rest: float = 0.0")
#define CONTRIB_RNN_ATTRIBUTES_OF_None

#define CONTRIB_RNN_REGISTER_OP(Cell, gates, states, parameters) \
  CONTRIB_RNN_REGISTER_OP_OF_##states(#Cell, gates,              \
                                      CONTRIB_RNN_ATTRIBUTES_OF_##parameters);
CONTRIB_RNN_CELLS(CONTRIB_RNN_REGISTER_OP)

}  // namespace
}  // namespace contrib_rnn
