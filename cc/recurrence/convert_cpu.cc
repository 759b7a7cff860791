#include "cc/recurrence/convert_cpu.h"

#include <algorithm>

#if defined(CONTRIB_RNN_HAS_AVX)
#include <immintrin.h>
#endif

namespace contrib_rnn {
namespace {

template <class T>
CONTRIB_RNN_INLINE void LoadEach(const T* from, int64_t count, float* to) {
  for (int64_t k = 0; k < count; ++k) to[k] = Load(from[k]);
}

template <class T>
CONTRIB_RNN_INLINE void StoreEach(const float* from, int64_t count, T* to) {
  for (int64_t k = 0; k < count; ++k) to[k] = Store<T>(from[k]);
}

#if defined(CONTRIB_RNN_HAS_AVX)
#define CONTRIB_RNN_AVX2 __attribute__((target("avx2,fma,f16c")))
#define CONTRIB_RNN_AVX512                \
  __attribute__((                         \
      target("avx512f,avx512bw,avx512dq," \
             "avx512vl,avx2,fma,f16c,"    \
             "prefer-vector-width=512")))

// Loops that the compiler turns into vectors.
CONTRIB_RNN_AVX2 void LoadAvx2(const BFloat16* from, int64_t count, float* to) {
  LoadEach(from, count, to);
}

CONTRIB_RNN_AVX2 void StoreAvx2(const float* from, int64_t count,
                                BFloat16* to) {
  StoreEach(from, count, to);
}

CONTRIB_RNN_AVX512 void LoadAvx512(const BFloat16* from, int64_t count,
                                   float* to) {
  LoadEach(from, count, to);
}

CONTRIB_RNN_AVX512 void StoreAvx512(const float* from, int64_t count,
                                    BFloat16* to) {
  StoreEach(from, count, to);
}

// Processors with AVX2 have instructions for half precision, which compilers do
// not find by themselves.
CONTRIB_RNN_AVX2 void LoadAvx2(const Float16* from, int64_t count, float* to) {
  int64_t k = 0;
  for (; k + 8 <= count; k += 8) {
    const __m128i halves =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + k));
    _mm256_storeu_ps(to + k, _mm256_cvtph_ps(halves));
  }
  for (; k < count; ++k) to[k] = _cvtsh_ss(from[k].bits);
}

CONTRIB_RNN_AVX2 void StoreAvx2(const float* from, int64_t count, Float16* to) {
  int64_t k = 0;
  for (; k + 8 <= count; k += 8) {
    const __m128i halves =
        _mm256_cvtps_ph(_mm256_loadu_ps(from + k), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + k), halves);
  }
  for (; k < count; ++k) {
    to[k].bits = _cvtss_sh(from[k], _MM_FROUND_TO_NEAREST_INT);
  }
}

CONTRIB_RNN_AVX512 void LoadAvx512(const Float16* from, int64_t count,
                                   float* to) {
  for (int64_t k = 0; k < count; k += 16) {
    const __mmask16 mask = 0xffffu >> (16 - std::min<int64_t>(16, count - k));
    const __m256i halves = _mm256_maskz_loadu_epi16(mask, from + k);
    _mm512_mask_storeu_ps(to + k, mask, _mm512_cvtph_ps(halves));
  }
}

CONTRIB_RNN_AVX512 void StoreAvx512(const float* from, int64_t count,
                                    Float16* to) {
  for (int64_t k = 0; k < count; k += 16) {
    const __mmask16 mask = 0xffffu >> (16 - std::min<int64_t>(16, count - k));
    const __m512 floats = _mm512_maskz_loadu_ps(mask, from + k);
    _mm256_mask_storeu_epi16(
        to + k, mask, _mm512_cvtps_ph(floats, _MM_FROUND_TO_NEAREST_INT));
  }
}
#endif

template <class T>
void LoadAny(InstructionSet instruction_set, const T* from, int64_t count,
             float* to) {
#if defined(CONTRIB_RNN_HAS_AVX)
  switch (instruction_set) {
    case InstructionSet::kAvx512:
      return LoadAvx512(from, count, to);
    case InstructionSet::kAvx2:
      return LoadAvx2(from, count, to);
    case InstructionSet::kBaseline:
      break;
  }
#endif
  LoadEach(from, count, to);
}

template <class T>
void StoreAny(InstructionSet instruction_set, const float* from, int64_t count,
              T* to) {
#if defined(CONTRIB_RNN_HAS_AVX)
  switch (instruction_set) {
    case InstructionSet::kAvx512:
      return StoreAvx512(from, count, to);
    case InstructionSet::kAvx2:
      return StoreAvx2(from, count, to);
    case InstructionSet::kBaseline:
      break;
  }
#endif
  StoreEach(from, count, to);
}

}  // namespace

void LoadRow(InstructionSet instruction_set, const Float16* from, int64_t count,
             float* to) {
  LoadAny(instruction_set, from, count, to);
}

void LoadRow(InstructionSet instruction_set, const BFloat16* from,
             int64_t count, float* to) {
  LoadAny(instruction_set, from, count, to);
}

void StoreRow(InstructionSet instruction_set, const float* from, int64_t count,
              Float16* to) {
  StoreAny(instruction_set, from, count, to);
}

void StoreRow(InstructionSet instruction_set, const float* from, int64_t count,
              BFloat16* to) {
  StoreAny(instruction_set, from, count, to);
}

}  // namespace contrib_rnn
