// The ops' kernels: they allocate the results of a checked call and call
// cc/recurrence, in the context of a device. kernels_cpu.cc and kernels_gpu.cc
// register them.

#ifndef CC_TENSORFLOW_KERNELS_H_
#define CC_TENSORFLOW_KERNELS_H_

#include <array>
#include <string>

#include "absl/status/status.h"
#include "cc/recurrence/recurrence.h"
#include "cc/tensorflow/call.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/framework/types.h"

namespace contrib_rnn {
namespace {

using ::tensorflow::OpKernel;

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

// A weight whose parts, inputs from `first` on, lie side by side in `joined`;
// of one part, that itself.
template <class T, class Context>
absl::Status JoinParts(OpKernelContext* context, const Context& device,
                       int first, int parts, int64_t width, Tensor* joined) {
  if (parts == 1) {
    *joined = context->input(first);
    return absl::OkStatus();
  }
  TF_RETURN_IF_ERROR(context->allocate_temp(
      tensorflow::DataTypeToEnum<T>::value, TensorShape({width}), joined));
  int64_t offset = 0;
  for (int i = first; i < first + parts; ++i) {
    const int64_t count = context->input(i).NumElements();
    TF_RETURN_IF_ERROR(ToStatus(SumRows(device, Read<T>(context->input(i)), 1,
                                        count, Write<T>(joined) + offset)));
    offset += count;
  }
  return absl::OkStatus();
}

// The gradients of such parts, outputs from `first` on: where `joined` is to be
// written; then, of several, SplitParts copies it.
template <class T>
absl::Status AllocateParts(OpKernelContext* context, int first, int parts,
                           int64_t width, Tensor* joined) {
  Tensor* output;
  if (parts > 1) {
    return context->allocate_temp(tensorflow::DataTypeToEnum<T>::value,
                                  TensorShape({width}), joined);
  }
  TF_RETURN_IF_ERROR(
      context->allocate_output(first, context->input(first).shape(), &output));
  *joined = *output;
  return absl::OkStatus();
}

template <class T, class Context>
absl::Status SplitParts(OpKernelContext* context, const Context& device,
                        int first, int parts, const Tensor& joined) {
  int64_t offset = 0;
  for (int i = first; parts > 1 && i < first + parts; ++i) {
    Tensor* output;
    TF_RETURN_IF_ERROR(
        context->allocate_output(i, context->input(i).shape(), &output));
    TF_RETURN_IF_ERROR(
        ToStatus(SumRows(device, Read<T>(joined) + offset, 1,
                         output->NumElements(), Write<T>(output))));
    offset += output->NumElements();
  }
  return absl::OkStatus();
}

// The weights of a call, each in one piece.
struct Weights {
  Tensor recurrent_kernel, bias;
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
  template <class T, class Context>
  absl::Status JoinWeights(OpKernelContext* context, const Context& device,
                           const Call& call, Weights* weights) const {
    const int parts = attributes_.num_parts;
    const int64_t width = CountGates(kCell) * call.sequences.units;
    TF_RETURN_IF_ERROR(JoinParts<T>(context, device,
                                    Attributes::kRecurrentKernel, parts, width,
                                    &weights->recurrent_kernel));
    return JoinParts<T>(context, device, attributes_.Bias(), parts, width,
                        &weights->bias);
  }

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
    const Context device = MakeContext<Context>(context);
    Weights weights;
    OP_REQUIRES_OK(context, this->template JoinWeights<T>(context, device, call,
                                                          &weights));
    ForwardTensors<Storage<T>> tensors = {
        Read<T>(context->input(Attributes::kInputs)),
        Read<T>(weights.recurrent_kernel), Read<T>(weights.bias)};
    const int states = CountStates(kCell);
    for (int i = 0; i < states; ++i) {
      tensors.initial_state[i] =
          Read<T>(context->input(this->attributes_.InitialStates() + i));
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
    OP_REQUIRES_OK(context, ToStatus(Forward(device, call.options,
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
    const Context device = MakeContext<Context>(context);
    Weights weights;
    OP_REQUIRES_OK(context, this->template JoinWeights<T>(context, device, call,
                                                          &weights));
    GradientTensors<Storage<T>> tensors = {};
    OP_REQUIRES_OK(context, ReadTensors(context, call, weights, &tensors));
    Tensor scratch, inputs_gradient;
    Weights weights_gradient;
    std::array<Tensor, kMaxStates> state_gradients;
    OP_REQUIRES_OK(
        context, AllocateTensors(context, device, call, &scratch,
                                 &inputs_gradient, &state_gradients, &tensors));
    OP_REQUIRES_OK(context,
                   AllocateWeights(context, call, &weights_gradient, &tensors));
    OP_REQUIRES_OK(context, ToStatus(Gradient(device, call.options,
                                              call.sequences, tensors)));
    OP_REQUIRES_OK(context, SplitWeights(context, device, weights_gradient));
    if (call.sequences.shared_inputs) {
      OP_REQUIRES_OK(context, SumBatch(context, device, inputs_gradient,
                                       Attributes::kInputs));
    }
    for (int i = 0; i < kStates; ++i) {
      if (!call.sequences.shared_initial_state[i]) continue;
      OP_REQUIRES_OK(context, SumBatch(context, device, state_gradients[i],
                                       this->attributes_.InitialStates() + i));
    }
  }

 private:
  static constexpr int kStates = CountStates(kCell);

  absl::Status ReadTensors(OpKernelContext* context, const Call& call,
                           const Weights& weights,
                           GradientTensors<Storage<T>>* tensors) {
    tensors->inputs = Read<T>(context->input(Attributes::kInputs));
    tensors->recurrent_kernel = Read<T>(weights.recurrent_kernel);
    tensors->bias = Read<T>(weights.bias);
    const int initial_states = this->attributes_.InitialStates();
    const int sequences =
        initial_states + kStates + this->attributes_.num_lengths;
    const int sequence_gradients = sequences + kStates;
    const int final_gradients = sequence_gradients + kStates;
    for (int i = 0; i < kStates; ++i) {
      const int index = SequenceIndex(kStates, i);
      tensors->initial_state[i] = Read<T>(context->input(initial_states + i));
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
    TF_RETURN_IF_ERROR(AllocateInputs(context, call, inputs_gradient));
    tensors->inputs_gradient = Write<T>(inputs_gradient);
    for (int i = 0; i < kStates; ++i) {
      Tensor* gradient = &(*state_gradients)[i];
      TF_RETURN_IF_ERROR(
          AllocateRows(context, this->attributes_.InitialStates() + i,
                       call.state_shape, s.shared_initial_state[i], gradient));
      tensors->initial_state_gradient[i] = Write<T>(gradient);
    }
    using R = contrib_rnn::Compute<Storage<T>>;
    TensorShape shape;
    TF_RETURN_IF_ERROR(TensorShape::BuildTensorShape(
        {CountScratch(device, call.options, s)}, &shape));
    TF_RETURN_IF_ERROR(context->allocate_temp(
        tensorflow::DataTypeToEnum<R>::value, shape, scratch));
    tensors->scratch = scratch->flat<R>().data();
    return absl::OkStatus();
  }

  absl::Status AllocateWeights(OpKernelContext* context, const Call& call,
                               Weights* gradient,
                               GradientTensors<Storage<T>>* tensors) {
    const int parts = this->attributes_.num_parts;
    const int64_t width = CountGates(kCell) * call.sequences.units;
    TF_RETURN_IF_ERROR(AllocateParts<T>(context, Attributes::kRecurrentKernel,
                                        parts, width,
                                        &gradient->recurrent_kernel));
    TF_RETURN_IF_ERROR(AllocateParts<T>(context, this->attributes_.Bias(),
                                        parts, width, &gradient->bias));
    tensors->recurrent_kernel_gradient = Write<T>(&gradient->recurrent_kernel);
    tensors->bias_gradient = Write<T>(&gradient->bias);
    return absl::OkStatus();
  }

  absl::Status SplitWeights(OpKernelContext* context, const Context& device,
                            const Weights& gradient) {
    const int parts = this->attributes_.num_parts;
    TF_RETURN_IF_ERROR(SplitParts<T>(context, device,
                                     Attributes::kRecurrentKernel, parts,
                                     gradient.recurrent_kernel));
    return SplitParts<T>(context, device, this->attributes_.Bias(), parts,
                         gradient.bias);
  }

  // In place of the inputs, if nothing else needs these: the largest tensor of
  // a layer, and fresh memory takes longer than the arithmetic. The kernels
  // read each number of the inputs before they write its gradient.
  static absl::Status AllocateInputs(OpKernelContext* context, const Call& call,
                                     Tensor* gradient) {
    constexpr int kInputs = Attributes::kInputs;
    if (call.sequences.shared_inputs) {
      return AllocateRows(context, kInputs, call.gates_shape, true, gradient);
    }
    Tensor* output;
    TF_RETURN_IF_ERROR(context->forward_input_or_allocate_output(
        {kInputs}, kInputs, call.gates_shape, &output));
    *gradient = *output;
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
