// What XLA calls: the arguments are checked, and cc/recurrence runs in the
// context of a device. handlers_cpu.cc and handlers_gpu.cc export it.
//
// Attributes of both directions: `cell`, `activation`, `time_major`, `reverse`
// and `forget_bias`. Buffers, in their order:
//
// forward
//   arguments  inputs, recurrent_kernel, bias, initial states, sequence_length
//   results    outputs, final states, cells (c of every step)
// gradient
//   arguments  those of forward, outputs, cells, outputs' gradient, final
//              states' gradients
//   results    the gradients of inputs, recurrent_kernel, bias, initial states
//
// States are h, or c and h; only the IndyLSTM has cells. sequence_length is
// [batch], or [0] for none. An incoming gradient without elements counts as
// zeros.

#ifndef CC_XLA_FFI_HANDLERS_H_
#define CC_XLA_FFI_HANDLERS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "cc/recurrence/names.h"
#include "cc/recurrence/recurrence.h"
#include "cc/xla_ffi/buffers.h"
#include "xla/ffi/api/ffi.h"

namespace contrib_rnn {
namespace {

// A call's sizes as its first argument has them, and its attributes.
struct Call {
  CellOptions options = {};
  Sequences sequences = {};
  ffi::DataType type = ffi::DataType::INVALID;
  int64_t gates = 0;
  int states = 0;

  // Of sequences with so many numbers an entry.
  Shape SequenceShape(int64_t width) const {
    const Sequences& s = sequences;
    return s.time_major ? Shape{s.time, s.batch, width}
                        : Shape{s.batch, s.time, width};
  }
  Shape InputsShape() const { return SequenceShape(gates * sequences.units); }
  Shape OutputsShape() const { return SequenceShape(sequences.units); }
  Shape StateShape() const { return {sequences.batch, sequences.units}; }
  Shape KernelShape() const { return {1, gates * sequences.units}; }
  Shape BiasShape() const { return {gates * sequences.units}; }
  const char* StateName(int state, const char* only, const char* c,
                        const char* h) const {
    return states == 1 ? only : state == 0 ? c : h;
  }
};

// What XLA calls the type of an attribute.
template <class T>
constexpr const char* kAttributeType = nullptr;
template <>
inline constexpr const char* kAttributeType<bool> = "PRED";
template <>
inline constexpr const char* kAttributeType<double> = "F64";
template <>
inline constexpr const char* kAttributeType<std::string_view> = "a string";

// Asks for the type first: when XLA reads an attribute of another type, it
// prints that, and its behaviour is undefined for one that it doesn't know.
template <class T>
void ReadAttribute(const ffi::Dictionary& attributes, const char* name,
                   BufferReader* buffers, T* value) {
  if (attributes.contains<T>(name)) {
    *value = *attributes.get<T>(name);
  } else {
    buffers->Fail(
        std::string(name) +
        (attributes.contains(name) ? " has another type" : " is missing") +
        ", expected " + kAttributeType<T>);
  }
}

template <class Kind, int kCount>
void ReadName(const ffi::Dictionary& attributes, const char* name,
              const Named<Kind> (&names)[kCount], BufferReader* buffers,
              Kind* kind) {
  std::string_view value;
  ReadAttribute(attributes, name, buffers, &value);
  if (!ParseName(value, names, kind)) {
    buffers->Fail(std::string(name) + ": '" + std::string(value) +
                  "' is not known");
  }
}

// Reads the attributes, and the sizes from the inputs' shape.
Call ReadCall(const ffi::Dictionary& attributes, BufferReader* buffers) {
  Call call;
  Sequences& s = call.sequences;
  ReadName(attributes, "cell", kCellNames, buffers, &call.options.cell);
  ReadName(attributes, "activation", kActivationNames, buffers,
           &call.options.activation);
  ReadAttribute(attributes, "forget_bias", buffers, &call.options.forget_bias);
  ReadAttribute(attributes, "time_major", buffers, &s.time_major);
  ReadAttribute(attributes, "reverse", buffers, &s.reverse);
  call.gates = CountGates(call.options.cell);
  call.states = CountStates(call.options.cell);
  const auto inputs = buffers->Peek();
  if (!inputs) return call;
  call.type = inputs->element_type();
  const Shape shape = ShapeOf(*inputs);
  if (shape.size() != 3 || shape[2] % call.gates != 0) {
    buffers->Fail("inputs is " + Describe(call.type, shape) +
                  ", expected rank 3 and a last dimension that is a multiple "
                  "of " +
                  std::to_string(call.gates));
    return call;
  }
  s.batch = shape[s.time_major ? 1 : 0];
  s.time = shape[s.time_major ? 0 : 1];
  s.units = shape[2] / call.gates;
  return call;
}

// Calls visitor with a null pointer to the type of the inputs.
template <class Visitor>
void VisitNumber(const Call& call, BufferReader* buffers,
                 const Visitor& visitor) {
  switch (call.type) {
    case ffi::DataType::F16:
      return visitor(static_cast<Float16*>(nullptr));
    case ffi::DataType::BF16:
      return visitor(static_cast<BFloat16*>(nullptr));
    case ffi::DataType::F32:
      return visitor(static_cast<float*>(nullptr));
    case ffi::DataType::F64:
      return visitor(static_cast<double*>(nullptr));
    default:
      buffers->Fail("inputs is " + Describe(call.type, call.InputsShape()) +
                    ", expected F16, BF16, F32 or F64");
  }
}

// Reads what both directions begin with. Tensors: ForwardTensors or
// GradientTensors of T.
template <class T, class Tensors>
void ReadArguments(Call* call, BufferReader* buffers, Tensors* tensors) {
  tensors->inputs = buffers->Argument<T>("inputs", call->InputsShape());
  tensors->recurrent_kernel =
      buffers->Argument<T>("recurrent_kernel", call->KernelShape());
  tensors->bias = buffers->Argument<T>("bias", call->BiasShape());
  for (int i = 0; i < call->states; ++i) {
    tensors->initial_state[i] = buffers->Argument<T>(
        call->StateName(i, "initial_state", "initial_c", "initial_h"),
        call->StateShape());
  }
  call->sequences.sequence_length = buffers->OptionalArgument<int32_t>(
      "sequence_length", {call->sequences.batch});
}

template <class T>
void ReadResults(const Call& call, BufferReader* buffers,
                 ForwardTensors<T>* tensors) {
  const int h = call.states - 1;
  tensors->sequence[h] = buffers->Result<T>("outputs", call.OutputsShape());
  for (int i = 0; i < call.states; ++i) {
    tensors->final_state[i] = buffers->Result<T>(
        call.StateName(i, "final_state", "final_c", "final_h"),
        call.StateShape());
  }
  if (h > 0) {
    tensors->sequence[0] = buffers->Result<T>("cells", call.OutputsShape());
  }
  buffers->ExpectNoMore();
}

template <class T>
void ReadForwardsResults(const Call& call, BufferReader* buffers,
                         GradientTensors<T>* tensors) {
  const int h = call.states - 1;
  tensors->sequence[h] = buffers->Argument<T>("outputs", call.OutputsShape());
  if (h > 0) {
    tensors->sequence[0] = buffers->Argument<T>("cells", call.OutputsShape());
  }
  tensors->sequence_gradient[h] =
      buffers->OptionalArgument<T>("outputs_gradient", call.OutputsShape());
  for (int i = 0; i < call.states; ++i) {
    tensors->final_state_gradient[i] = buffers->OptionalArgument<T>(
        call.StateName(i, "final_state_gradient", "final_c_gradient",
                       "final_h_gradient"),
        call.StateShape());
  }
}

template <class T>
void ReadResults(const Call& call, BufferReader* buffers,
                 GradientTensors<T>* tensors) {
  tensors->inputs_gradient =
      buffers->Result<T>("inputs_gradient", call.InputsShape());
  tensors->recurrent_kernel_gradient =
      buffers->Result<T>("recurrent_kernel_gradient", call.KernelShape());
  tensors->bias_gradient =
      buffers->Result<T>("bias_gradient", call.BiasShape());
  for (int i = 0; i < call.states; ++i) {
    tensors->initial_state_gradient[i] = buffers->Result<T>(
        call.StateName(i, "initial_state_gradient", "initial_c_gradient",
                       "initial_h_gradient"),
        call.StateShape());
  }
  buffers->ExpectNoMore();
}

ffi::Error ToStatus(const BufferReader& buffers, const Error& failure) {
  if (!buffers.error().empty()) {
    return ffi::Error::InvalidArgument("tf_contrib_rnn: " + buffers.error());
  }
  if (!failure.empty()) return ffi::Error::Internal(failure);
  return ffi::Error::Success();
}

template <class Context>
ffi::Error RunForward(const Context& context,
                      const ffi::RemainingArgs& arguments,
                      const ffi::RemainingRets& results,
                      const ffi::Dictionary& attributes) {
  BufferReader buffers(arguments, results);
  Call call = ReadCall(attributes, &buffers);
  Error failure;
  VisitNumber(call, &buffers, [&](auto* of_type) {
    using T = std::decay_t<decltype(*of_type)>;
    ForwardTensors<T> tensors = {};
    ReadArguments<T>(&call, &buffers, &tensors);
    ReadResults(call, &buffers, &tensors);
    if (!buffers.error().empty()) return;
    failure = Forward(context, call.options, call.sequences, tensors);
  });
  return ToStatus(buffers, failure);
}

// `allocate` returns memory of so many bytes until the call ends, or null.
template <class Context, class Allocate>
ffi::Error RunGradient(const Context& context, const Allocate& allocate,
                       const ffi::RemainingArgs& arguments,
                       const ffi::RemainingRets& results,
                       const ffi::Dictionary& attributes) {
  BufferReader buffers(arguments, results);
  Call call = ReadCall(attributes, &buffers);
  Error failure;
  VisitNumber(call, &buffers, [&](auto* of_type) {
    using T = std::decay_t<decltype(*of_type)>;
    GradientTensors<T> tensors = {};
    ReadArguments<T>(&call, &buffers, &tensors);
    ReadForwardsResults(call, &buffers, &tensors);
    ReadResults(call, &buffers, &tensors);
    if (!buffers.error().empty()) return;
    const size_t bytes = CountScratch(context, call.options, call.sequences) *
                         sizeof(*tensors.scratch);
    tensors.scratch = static_cast<Compute<T>*>(allocate(bytes));
    if (bytes > 0 && tensors.scratch == nullptr) {
      failure = "no memory for the gradient: " + std::to_string(bytes) +
                " bytes of scratch";
      return;
    }
    failure = Gradient(context, call.options, call.sequences, tensors);
  });
  return ToStatus(buffers, failure);
}

}  // namespace
}  // namespace contrib_rnn

#endif  // CC_XLA_FFI_HANDLERS_H_
