// The numbers that cells compute with: storage types of 16 bits, and the few
// operations on numbers that the mathematics needs. Plain inline functions for
// host and device; a GPU has instructions for some of them.

#ifndef CC_CELLS_NUMBER_H_
#define CC_CELLS_NUMBER_H_

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

// A function of the cells: inlined into whichever instruction set or device
// its caller is compiled for, so that no copy for another one can be linked.
#if defined(__CUDACC__)
#define CONTRIB_RNN_INLINE __host__ __device__ __forceinline__
#else
#define CONTRIB_RNN_INLINE inline __attribute__((always_inline))
#endif

namespace contrib_rnn {

// IEEE half precision and bfloat16 as they lie in memory. Cells compute in
// float; these only load and store.
struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

// The type that a cell computes in when its tensors hold T.
template <class T>
struct ComputeType {
  using type = float;
};
template <>
struct ComputeType<double> {
  using type = double;
};
template <class T>
using Compute = typename ComputeType<T>::type;

template <class To, class From>
CONTRIB_RNN_INLINE To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "BitCast keeps the size");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

// numerator / denominator, for a denominator from 1 to 2^100.
CONTRIB_RNN_INLINE double Divide(double numerator, double denominator) {
  return numerator / denominator;
}
CONTRIB_RNN_INLINE float Divide(float numerator, float denominator) {
#if defined(__CUDA_ARCH__)
  return __fdividef(numerator, denominator);  // good to 2 ulp
#else
  return numerator / denominator;
#endif
}

CONTRIB_RNN_INLINE float Load(float x) { return x; }
CONTRIB_RNN_INLINE double Load(double x) { return x; }

CONTRIB_RNN_INLINE float Load(BFloat16 x) {
  return BitCast<float>(static_cast<uint32_t>(x.bits) << 16);
}

CONTRIB_RNN_INLINE float Load(Float16 x) {
#if defined(__CUDA_ARCH__)
  return __half2float(BitCast<__half>(x));
#else
  const uint32_t magnitude = x.bits & 0x7fffu;
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000u) << 16;
  // Rebias the exponent by 112; infinity and NaN by as much again.
  const uint32_t rebias = magnitude >= 0x7c00u ? (224u << 23) : (112u << 23);
  // Subnormals go through an integer: threads may flush subnormal floats.
  const float subnormal =
      static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f;
  const uint32_t bits = magnitude < 0x400u ? BitCast<uint32_t>(subnormal)
                                           : (magnitude << 13) + rebias;
  return BitCast<float>(bits | sign);
#endif
}

template <class T>
CONTRIB_RNN_INLINE T Store(Compute<T> x);

template <>
CONTRIB_RNN_INLINE float Store<float>(float x) {
  return x;
}
template <>
CONTRIB_RNN_INLINE double Store<double>(double x) {
  return x;
}

// To nearest, ties to even, as TensorFlow casts.
template <>
CONTRIB_RNN_INLINE BFloat16 Store<BFloat16>(float x) {
#if defined(__CUDA_ARCH__)
  return BitCast<BFloat16>(__float2bfloat16_rn(x));
#else
  const uint32_t bits = BitCast<uint32_t>(x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t nan = (bits >> 16) | 0x40u;
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return BFloat16{static_cast<uint16_t>(is_nan ? nan : rounded)};
#endif
}

template <>
CONTRIB_RNN_INLINE Float16 Store<Float16>(float x) {
#if defined(__CUDA_ARCH__)
  return BitCast<Float16>(__float2half_rn(x));
#else
  const uint32_t bits = BitCast<uint32_t>(x);
  const uint32_t magnitude = bits & 0x7fffffffu;
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t normal =
      (magnitude + 0xfffu + ((magnitude >> 13) & 1u) - (112u << 23)) >> 13;
  // Adding a half leaves a multiple of the smallest subnormal, rounded.
  const uint32_t subnormal =
      BitCast<uint32_t>(BitCast<float>(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
  const uint32_t half = magnitude >= 0x47800000u ? special : finite;
  return Float16{static_cast<uint16_t>(half | sign)};
#endif
}

}  // namespace contrib_rnn

#endif  // CC_CELLS_NUMBER_H_
