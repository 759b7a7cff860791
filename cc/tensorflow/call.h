// What an op is called with: its attributes, and the sizes that its inputs
// agree on. Every argument is checked here.

#ifndef CC_TENSORFLOW_CALL_H_
#define CC_TENSORFLOW_CALL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/recurrence/names.h"
#include "cc/recurrence/recurrence.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"

namespace contrib_rnn {
namespace {

using ::tensorflow::OpKernelConstruction;
using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;
using ::tensorflow::TensorShape;

// The attributes of an op.
struct Attributes {
  CellOptions options;
  bool time_major;
  bool reverse;
  int num_parts;
  int num_lengths;

  // Where an op's inputs lie: inputs, the parts of recurrent_kernel, those of
  // bias, the initial states, sequence_length, then the gradient's. The
  // gradients of the first four lie at the same places among its outputs.
  static constexpr int kInputs = 0;
  static constexpr int kRecurrentKernel = 1;
  int Bias() const { return kRecurrentKernel + num_parts; }
  int InitialStates() const { return Bias() + num_parts; }
};

template <class Kind, int kCount>
absl::Status GetKind(const char* attribute, const std::string& name,
                     const Named<Kind> (&names)[kCount], Kind* kind) {
  if (ParseName(name, names, kind)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(attribute, ": '", name, "' is not known"));
}

absl::Status GetAttributes(OpKernelConstruction* construction, CellKind cell,
                           Attributes* attributes) {
  std::string activation, gate_order;
  int num_more;
  float forget_bias = 0;
  float forget_bias_rest = 0;
  TF_RETURN_IF_ERROR(construction->GetAttr("activation", &activation));
  TF_RETURN_IF_ERROR(construction->GetAttr("gate_order", &gate_order));
  TF_RETURN_IF_ERROR(
      construction->GetAttr("time_major", &attributes->time_major));
  TF_RETURN_IF_ERROR(construction->GetAttr("reverse", &attributes->reverse));
  TF_RETURN_IF_ERROR(construction->GetAttr("num_more", &num_more));
  attributes->num_parts = 1 + num_more;
  TF_RETURN_IF_ERROR(
      construction->GetAttr("num_lengths", &attributes->num_lengths));
  if (construction->HasAttr("forget_bias")) {
    TF_RETURN_IF_ERROR(construction->GetAttr("forget_bias", &forget_bias));
    TF_RETURN_IF_ERROR(
        construction->GetAttr("forget_bias_rest", &forget_bias_rest));
  }
  attributes->options = CellOptions();
  attributes->options.cell = cell;
  attributes->options.forget_bias =
      static_cast<double>(forget_bias) + forget_bias_rest;
  TF_RETURN_IF_ERROR(GetKind("activation", activation, kActivationNames,
                             &attributes->options.activation));
  return GetKind("gate_order", gate_order, kGateOrderNames,
                 &attributes->options.gate_order);
}

absl::Status WrongShape(const std::string& name, const TensorShape& shape,
                        const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat(
      name, " has shape ", shape.DebugString(), ", expected ", expected));
}

// Compares sizes, not shapes: a TensorShape of any sizes can't be made, one
// whose product overflows ends the process.
absl::Status WantSizes(const std::string& name, const Tensor& tensor,
                       const std::vector<int64_t>& expected) {
  bool equal = tensor.dims() == static_cast<int>(expected.size());
  for (int i = 0; equal && i < tensor.dims(); ++i) {
    equal = tensor.dim_size(i) == expected[i];
  }
  if (equal) return absl::OkStatus();
  return WrongShape(name, tensor.shape(),
                    absl::StrCat("[", absl::StrJoin(expected, ","), "]"));
}

absl::Status WantShape(const std::string& name, const Tensor& tensor,
                       const TensorShape& expected) {
  if (tensor.shape() == expected) return absl::OkStatus();
  return WrongShape(name, tensor.shape(), expected.DebugString());
}

// The call's sizes as its inputs have them, checked against each other.
struct Call {
  CellOptions options;
  Sequences sequences;
  bool is_step;
  TensorShape state_shape;     // [batch, units]
  TensorShape sequence_shape;  // of the outputs
  TensorShape gates_shape;     // of the inputs' gradient, a row a member
};

class CallChecker {
 public:
  CallChecker(OpKernelContext* context, const Attributes& attributes)
      : context_(context),
        attributes_(attributes),
        gates_(CountGates(attributes.options.cell)),
        states_(CountStates(attributes.options.cell)) {}

  absl::Status Check(Call* call) {
    Sequences& s = call->sequences;
    s = Sequences();
    call->options = attributes_.options;
    s.time_major = attributes_.time_major;
    s.reverse = attributes_.reverse;
    TF_RETURN_IF_ERROR(CheckInputs(call));
    TF_RETURN_IF_ERROR(CheckWeights(call));
    TF_RETURN_IF_ERROR(CheckStates(call));
    TF_RETURN_IF_ERROR(CheckLengths(call));
    return MakeShapes(call);
  }

 private:
  absl::Status CheckInputs(Call* call) {
    const TensorShape& shape = context_->input(Attributes::kInputs).shape();
    const int rank = shape.dims();
    if (rank != 2 && rank != 3) {
      return WrongShape("inputs", shape, "rank 2 (a step) or 3 (a sequence)");
    }
    const int64_t width = shape.dim_size(rank - 1);
    if (width % gates_ != 0) {
      return WrongShape(
          "inputs", shape,
          absl::StrCat("a last dimension that is a multiple of ", gates_));
    }
    Sequences& s = call->sequences;
    call->is_step = rank == 2;
    s.units = width / gates_;
    const int batch_axis = call->is_step || !s.time_major ? 0 : 1;
    s.batch = shape.dim_size(batch_axis);
    s.time = call->is_step ? 1 : shape.dim_size(1 - batch_axis);
    return absl::OkStatus();
  }

  absl::Status CheckWeights(Call* call) {
    const int64_t width = gates_ * call->sequences.units;
    if (attributes_.num_parts > 1) return CheckParts(width);
    const Tensor& bias = context_->input(attributes_.Bias());
    call->options.has_recurrent_bias = bias.dims() == 2;
    TF_RETURN_IF_ERROR(WantSizes("recurrent_kernel",
                                 context_->input(Attributes::kRecurrentKernel),
                                 {1, width}));
    if (bias.dims() == 2) return WantSizes("bias", bias, {2, width});
    return WantSizes("bias", bias, {width});
  }

  // Parts of recurrent_kernel and of bias, which lie side by side.
  absl::Status CheckParts(int64_t width) {
    int64_t rest = width;
    for (int i = 0; i < attributes_.num_parts; ++i) {
      const Tensor& bias = context_->input(attributes_.Bias() + i);
      if (bias.dims() != 1 || bias.dim_size(0) > rest) {
        return WrongShape(absl::StrCat("bias[", i, "]"), bias.shape(),
                          absl::StrCat("rank 1 and at most ", rest,
                                       " numbers, for ", width, " in all"));
      }
      rest -= bias.dim_size(0);
      TF_RETURN_IF_ERROR(
          WantSizes(absl::StrCat("recurrent_kernel[", i, "]"),
                    context_->input(Attributes::kRecurrentKernel + i),
                    {1, bias.dim_size(0)}));
    }
    if (rest == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("bias has ", width - rest,
                                                   " numbers in its parts, ",
                                                   "expected ", width));
  }

  // A step broadcasts a batch of 1, as TensorFlow's addition would.
  absl::Status CheckStates(Call* call) {
    Sequences& s = call->sequences;
    const int64_t inputs_batch = s.batch;
    for (int i = 0; i < states_ && call->is_step && s.batch == 1; ++i) {
      const Tensor& state = context_->input(attributes_.InitialStates() + i);
      if (state.dims() == 2) s.batch = state.dim_size(0);
    }
    s.shared_inputs = s.batch != inputs_batch;
    for (int i = 0; i < states_; ++i) {
      const Tensor& state = context_->input(attributes_.InitialStates() + i);
      s.shared_initial_state[i] = call->is_step && s.batch != 1 &&
                                  state.dims() == 2 && state.dim_size(0) == 1;
      TF_RETURN_IF_ERROR(
          WantSizes(states_ == 1 ? "initial_state"
                    : i == 0     ? "initial_c"
                                 : "initial_h",
                    state, {s.shared_initial_state[i] ? 1 : s.batch, s.units}));
    }
    return absl::OkStatus();
  }

  absl::Status CheckLengths(Call* call) {
    if (attributes_.num_lengths == 0) return absl::OkStatus();
    if (attributes_.num_lengths > 1 || call->is_step) {
      return absl::InvalidArgumentError(
          "sequence_length: at most one vector, and for sequences (inputs of "
          "rank 3) only");
    }
    const Tensor& lengths =
        context_->input(attributes_.InitialStates() + states_);
    TF_RETURN_IF_ERROR(
        WantSizes("sequence_length", lengths, {call->sequences.batch}));
    call->sequences.sequence_length = lengths.flat<int32_t>().data();
    return absl::OkStatus();
  }

  absl::Status MakeShapes(Call* call) {
    const Sequences& s = call->sequences;
    TensorShape leading;
    if (!call->is_step) leading.AddDim(s.time_major ? s.time : s.batch);
    TF_RETURN_IF_ERROR(leading.AddDimWithStatus(
        !call->is_step && !s.time_major ? s.time : s.batch));
    call->sequence_shape = leading;
    call->gates_shape = leading;
    TF_RETURN_IF_ERROR(call->sequence_shape.AddDimWithStatus(s.units));
    TF_RETURN_IF_ERROR(call->gates_shape.AddDimWithStatus(gates_ * s.units));
    return TensorShape::BuildTensorShape({s.batch, s.units},
                                         &call->state_shape);
  }

  OpKernelContext* context_;
  const Attributes& attributes_;
  const int64_t gates_;
  const int states_;
};

}  // namespace
}  // namespace contrib_rnn

#endif  // CC_TENSORFLOW_CALL_H_
