// Reading the buffers of a call from XLA: each is checked before its pointer is
// given away.

#ifndef CC_XLA_FFI_BUFFERS_H_
#define CC_XLA_FFI_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cc/cells/number.h"
#include "cc/recurrence/recurrence.h"
#include "xla/ffi/api/ffi.h"

namespace contrib_rnn {

namespace ffi = ::xla::ffi;

using Shape = std::vector<int64_t>;

// What XLA calls the type of an element.
template <class T>
constexpr ffi::DataType kDataType = ffi::DataType::INVALID;
template <>
inline constexpr ffi::DataType kDataType<Float16> = ffi::DataType::F16;
template <>
inline constexpr ffi::DataType kDataType<BFloat16> = ffi::DataType::BF16;
template <>
inline constexpr ffi::DataType kDataType<float> = ffi::DataType::F32;
template <>
inline constexpr ffi::DataType kDataType<double> = ffi::DataType::F64;
template <>
inline constexpr ffi::DataType kDataType<int32_t> = ffi::DataType::S32;

// XLA's names of its types, by number. The behaviour of its own operator<< is
// undefined for a number that its header doesn't know.
inline constexpr const char* kDataTypeNames[] = {
    "INVALID",    "PRED", "S8",       "S16",           "S32",
    "S64",        "U8",   "U16",      "U32",           "U64",
    "F16",        "F32",  "F64",      "TUPLE",         "OPAQUE_TYPE",
    "C64",        "BF16", "TOKEN",    "C128",          "F8E5M2",
    "F8E4M3FN",   "S4",   "U4",       "F8E4M3B11FNUZ", "F8E5M2FNUZ",
    "F8E4M3FNUZ", "S2",   "U2",       "F8E4M3",        "F8E3M4",
    "S1",         "U1",   "F4E2M1FN", "F8E8M0FNU"};

// "F32", or "unknown dtype (99)"
inline std::string NameOf(ffi::DataType type) {
  const auto number = static_cast<size_t>(type);
  if (number < std::size(kDataTypeNames)) return kDataTypeNames[number];
  return "unknown dtype (" + std::to_string(number) + ")";
}

// "F32[2,3]"
inline std::string Describe(ffi::DataType type, const Shape& shape) {
  std::ostringstream text;
  text << NameOf(type) << "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text << (i == 0 ? "" : ",") << shape[i];
  }
  text << "]";
  return text.str();
}

inline Shape ShapeOf(const ffi::AnyBuffer& buffer) {
  return Shape(buffer.dimensions().begin(), buffer.dimensions().end());
}

// Reads arguments and results one after the other, and keeps the first thing
// that is wrong: from there on, nothing but null pointers is given away.
class BufferReader {
 public:
  BufferReader(const ffi::RemainingArgs& arguments,
               const ffi::RemainingRets& results)
      : arguments_(arguments), results_(results) {}

  const Error& error() const { return error_; }

  void Fail(const Error& error) {
    if (error_.empty()) error_ = error;
  }

  // The next argument, left where it is.
  std::optional<ffi::AnyBuffer> Peek() {
    auto buffer = arguments_.get<ffi::AnyBuffer>(next_argument_);
    if (buffer.has_value()) return *buffer;
    Fail("there are too few arguments");
    return std::nullopt;
  }

  template <class T>
  const T* Argument(const char* name, const Shape& shape) {
    const auto buffer = Peek();
    ++next_argument_;
    return buffer ? Check<T>(name, *buffer, shape) : nullptr;
  }

  // Null for an argument without elements, which stands for none.
  template <class T>
  const T* OptionalArgument(const char* name, const Shape& shape) {
    const auto buffer = Peek();
    ++next_argument_;
    if (!buffer || buffer->element_count() == 0) return nullptr;
    return Check<T>(name, *buffer, shape);
  }

  template <class T>
  T* Result(const char* name, const Shape& shape) {
    auto buffer = results_.get<ffi::AnyBuffer>(next_result_++);
    if (buffer.has_value()) return Check<T>(name, **buffer, shape);
    Fail("there are too few results");
    return nullptr;
  }

  void ExpectNoMore() {
    if (next_argument_ < arguments_.size())
      Fail("there are too many arguments");
    if (next_result_ < results_.size()) Fail("there are too many results");
  }

 private:
  template <class T>
  T* Check(const char* name, const ffi::AnyBuffer& buffer,
           const Shape& expected) {
    const Shape shape = ShapeOf(buffer);
    if (buffer.element_type() != kDataType<T> || shape != expected) {
      Fail(std::string(name) + " is " + Describe(buffer.element_type(), shape) +
           ", expected " + Describe(kDataType<T>, expected));
    }
    if (!error_.empty()) return nullptr;
    return static_cast<T*>(buffer.untyped_data());
  }

  const ffi::RemainingArgs& arguments_;
  const ffi::RemainingRets& results_;
  size_t next_argument_ = 0;
  size_t next_result_ = 0;
  Error error_;
};

}  // namespace contrib_rnn

#endif  // CC_XLA_FFI_BUFFERS_H_
