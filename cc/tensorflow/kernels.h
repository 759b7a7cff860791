// The ops' kernels: they check every argument, allocate the results and call
// cc/recurrence, in the context of a device. kernels_cpu.cc and kernels_gpu.cc
// register them.

#ifndef CC_TENSORFLOW_KERNELS_H_
#define CC_TENSORFLOW_KERNELS_H_

#include <array>
#include <functional>
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
#include "tensorflow/core/framework/types.h"

namespace contrib_rnn {
namespace {

using ::tensorflow::OpKernel;
using ::tensorflow::OpKernelConstruction;
using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;
using ::tensorflow::TensorShape;

// The type by which cc/recurrence knows the elements of a tensor of T.
template <class T>
struct StorageType {
  using type = T;
};
template <>
struct StorageType<Eigen::half> {
  using type = Float16;
};
template <>
struct StorageType<Eigen::bfloat16> {
  using type = BFloat16;
};
template <class T>
using Storage = typename StorageType<T>::type;

template <class T>
const Storage<T>* Read(const Tensor& tensor) {
  static_assert(sizeof(Storage<T>) == sizeof(T), "same elements");
  return reinterpret_cast<const Storage<T>*>(tensor.flat<T>().data());
}

template <class T>
Storage<T>* Write(Tensor* tensor) {
  return reinterpret_cast<Storage<T>*>(tensor->flat<T>().data());
}

// A CpuContext or GpuContext for a call: each device's file has its own.
template <class Context>
Context MakeContext(OpKernelContext* context);

absl::Status ToStatus(const Error& error) {
  return error.empty() ? absl::OkStatus() : absl::InternalError(error);
}

// The attributes of an op.
struct Attributes {
  CellOptions options;
  bool time_major;
  bool reverse;
  int num_lengths;
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
  float forget_bias = 0;
  float forget_bias_rest = 0;
  TF_RETURN_IF_ERROR(construction->GetAttr("activation", &activation));
  TF_RETURN_IF_ERROR(construction->GetAttr("gate_order", &gate_order));
  TF_RETURN_IF_ERROR(
      construction->GetAttr("time_major", &attributes->time_major));
  TF_RETURN_IF_ERROR(construction->GetAttr("reverse", &attributes->reverse));
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

// Where an op's inputs lie: inputs, recurrent_kernel, bias, the initial
// states, sequence_length, then the gradient's.
constexpr int kInputs = 0;
constexpr int kRecurrentKernel = 1;
constexpr int kBias = 2;
constexpr int kInitialStates = 3;

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
    const TensorShape& shape = context_->input(kInputs).shape();
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
    const Tensor& bias = context_->input(kBias);
    call->options.has_recurrent_bias = bias.dims() == 2;
    TF_RETURN_IF_ERROR(WantSizes(
        "recurrent_kernel", context_->input(kRecurrentKernel), {1, width}));
    if (bias.dims() == 2) return WantSizes("bias", bias, {2, width});
    return WantSizes("bias", bias, {width});
  }

  // A step broadcasts a batch of 1, as TensorFlow's addition would.
  absl::Status CheckStates(Call* call) {
    Sequences& s = call->sequences;
    const int64_t inputs_batch = s.batch;
    for (int i = 0; i < states_ && call->is_step && s.batch == 1; ++i) {
      const Tensor& state = context_->input(kInitialStates + i);
      if (state.dims() == 2) s.batch = state.dim_size(0);
    }
    s.shared_inputs = s.batch != inputs_batch;
    for (int i = 0; i < states_; ++i) {
      const Tensor& state = context_->input(kInitialStates + i);
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
    const Tensor& lengths = context_->input(kInitialStates + states_);
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

template <CellKind kCell>
class RecurrenceOp : public OpKernel {
 public:
  explicit RecurrenceOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction,
                   GetAttributes(construction, kCell, &attributes_));
  }

 protected:
  Attributes attributes_;
};

// Which output (or input of the gradient op) holds the sequence of a state:
// h, the cell's output, comes first.
int SequenceIndex(int states, int state) { return states - 1 - state; }

template <class Context, CellKind kCell, class T>
class ForwardOp : public RecurrenceOp<kCell> {
 public:
  using RecurrenceOp<kCell>::RecurrenceOp;

  void Compute(OpKernelContext* context) override {
    Call call;
    OP_REQUIRES_OK(context,
                   CallChecker(context, this->attributes_).Check(&call));
    ForwardTensors<Storage<T>> tensors = {
        Read<T>(context->input(kInputs)),
        Read<T>(context->input(kRecurrentKernel)),
        Read<T>(context->input(kBias))};
    const int states = CountStates(kCell);
    for (int i = 0; i < states; ++i) {
      tensors.initial_state[i] = Read<T>(context->input(kInitialStates + i));
      Tensor* sequence;
      OP_REQUIRES_OK(context,
                     context->allocate_output(SequenceIndex(states, i),
                                              call.sequence_shape, &sequence));
      tensors.sequence[i] = Write<T>(sequence);
      Tensor* final_state;
      OP_REQUIRES_OK(
          context,
          context->allocate_output(
              states + i, call.is_step ? TensorShape({0}) : call.state_shape,
              &final_state));
      tensors.final_state[i] = call.is_step ? nullptr : Write<T>(final_state);
    }
    OP_REQUIRES_OK(context,
                   ToStatus(Forward(MakeContext<Context>(context), call.options,
                                    call.sequences, tensors)));
  }
};

template <class Context, CellKind kCell, class T>
class GradientOp : public RecurrenceOp<kCell> {
 public:
  using RecurrenceOp<kCell>::RecurrenceOp;

  void Compute(OpKernelContext* context) override {
    Call call;
    OP_REQUIRES_OK(context,
                   CallChecker(context, this->attributes_).Check(&call));
    GradientTensors<Storage<T>> tensors = {};
    OP_REQUIRES_OK(context, ReadTensors(context, call, &tensors));
    Tensor scratch, inputs_gradient;
    std::array<Tensor, kMaxStates> state_gradients;
    const Context device = MakeContext<Context>(context);
    OP_REQUIRES_OK(
        context, AllocateTensors(context, device, call, &scratch,
                                 &inputs_gradient, &state_gradients, &tensors));
    OP_REQUIRES_OK(context, ToStatus(Gradient(device, call.options,
                                              call.sequences, tensors)));
    if (call.sequences.shared_inputs) {
      OP_REQUIRES_OK(context,
                     SumBatch(context, device, inputs_gradient, kInputs));
    }
    for (int i = 0; i < kStates; ++i) {
      if (!call.sequences.shared_initial_state[i]) continue;
      OP_REQUIRES_OK(context, SumBatch(context, device, state_gradients[i],
                                       kInitialStates + i));
    }
  }

 private:
  static constexpr int kStates = CountStates(kCell);

  absl::Status ReadTensors(OpKernelContext* context, const Call& call,
                           GradientTensors<Storage<T>>* tensors) {
    tensors->inputs = Read<T>(context->input(kInputs));
    tensors->recurrent_kernel = Read<T>(context->input(kRecurrentKernel));
    tensors->bias = Read<T>(context->input(kBias));
    const int sequences =
        kInitialStates + kStates + this->attributes_.num_lengths;
    const int sequence_gradients = sequences + kStates;
    const int final_gradients = sequence_gradients + kStates;
    for (int i = 0; i < kStates; ++i) {
      const int index = SequenceIndex(kStates, i);
      tensors->initial_state[i] = Read<T>(context->input(kInitialStates + i));
      const Tensor& sequence = context->input(sequences + index);
      TF_RETURN_IF_ERROR(WantShape(index == 0 ? "outputs" : "cells", sequence,
                                   call.sequence_shape));
      tensors->sequence[i] = Read<T>(sequence);
      TF_RETURN_IF_ERROR(
          ReadIncoming(index == 0 ? "outputs_gradient" : "cells_gradient",
                       context->input(sequence_gradients + index),
                       call.sequence_shape, &tensors->sequence_gradient[i]));
      TF_RETURN_IF_ERROR(ReadIncoming(kStates == 1 ? "final_state_gradient"
                                      : i == 0     ? "final_c_gradient"
                                                   : "final_h_gradient",
                                      context->input(final_gradients + i),
                                      call.state_shape,
                                      &tensors->final_state_gradient[i]));
    }
    return absl::OkStatus();
  }

  // An incoming gradient without elements counts as zeros.
  static absl::Status ReadIncoming(const std::string& name,
                                   const Tensor& tensor,
                                   const TensorShape& expected,
                                   const Storage<T>** pointer) {
    *pointer = nullptr;
    if (tensor.NumElements() == 0) return absl::OkStatus();
    *pointer = Read<T>(tensor);
    return WantShape(name, tensor, expected);
  }

  absl::Status AllocateTensors(OpKernelContext* context, const Context& device,
                               const Call& call, Tensor* scratch,
                               Tensor* inputs_gradient,
                               std::array<Tensor, kMaxStates>* state_gradients,
                               GradientTensors<Storage<T>>* tensors) {
    const Sequences& s = call.sequences;
    TF_RETURN_IF_ERROR(AllocateRows(context, kInputs, call.gates_shape,
                                    s.shared_inputs, inputs_gradient));
    tensors->inputs_gradient = Write<T>(inputs_gradient);
    for (int i = 0; i < kStates; ++i) {
      Tensor* gradient = &(*state_gradients)[i];
      TF_RETURN_IF_ERROR(AllocateRows(context, kInitialStates + i,
                                      call.state_shape,
                                      s.shared_initial_state[i], gradient));
      tensors->initial_state_gradient[i] = Write<T>(gradient);
    }
    Tensor* output;
    TF_RETURN_IF_ERROR(context->allocate_output(
        kRecurrentKernel, context->input(kRecurrentKernel).shape(), &output));
    tensors->recurrent_kernel_gradient = Write<T>(output);
    TF_RETURN_IF_ERROR(context->allocate_output(
        kBias, context->input(kBias).shape(), &output));
    tensors->bias_gradient = Write<T>(output);
    using R = contrib_rnn::Compute<Storage<T>>;
    TensorShape shape;
    TF_RETURN_IF_ERROR(TensorShape::BuildTensorShape(
        {CountScratch(device, call.options, s)}, &shape));
    TF_RETURN_IF_ERROR(context->allocate_temp(
        tensorflow::DataTypeToEnum<R>::value, shape, scratch));
    tensors->scratch = scratch->flat<R>().data();
    return absl::OkStatus();
  }

  // Output `index`, or a temporary to be summed into it.
  static absl::Status AllocateRows(OpKernelContext* context, int index,
                                   const TensorShape& shape, bool shared,
                                   Tensor* rows) {
    if (shared) {
      return context->allocate_temp(tensorflow::DataTypeToEnum<T>::value, shape,
                                    rows);
    }
    Tensor* output;
    TF_RETURN_IF_ERROR(context->allocate_output(index, shape, &output));
    *rows = *output;
    return absl::OkStatus();
  }

  static absl::Status SumBatch(OpKernelContext* context, const Context& device,
                               const Tensor& rows, int index) {
    Tensor* output;
    TF_RETURN_IF_ERROR(context->allocate_output(
        index, context->input(index).shape(), &output));
    return ToStatus(SumRows(device, Read<T>(rows), rows.dim_size(0),
                            rows.dim_size(1), Write<T>(output)));
  }
};

#define CONTRIB_RNN_REGISTER(Context, device, Cell, T)                        \
  REGISTER_KERNEL_BUILDER(                                                    \
      Name("ContribRnn>" #Cell).Device(device).TypeConstraint<T>("T"),        \
      ForwardOp<Context, CellKind::k##Cell, T>);                              \
  REGISTER_KERNEL_BUILDER(                                                    \
      Name("ContribRnn>" #Cell "Grad").Device(device).TypeConstraint<T>("T"), \
      GradientOp<Context, CellKind::k##Cell, T>)

#define CONTRIB_RNN_REGISTER_CELL(Context, device, Cell)    \
  CONTRIB_RNN_REGISTER(Context, device, Cell, float);       \
  CONTRIB_RNN_REGISTER(Context, device, Cell, double);      \
  CONTRIB_RNN_REGISTER(Context, device, Cell, Eigen::half); \
  CONTRIB_RNN_REGISTER(Context, device, Cell, Eigen::bfloat16)

}  // namespace
}  // namespace contrib_rnn

#endif  // CC_TENSORFLOW_KERNELS_H_
