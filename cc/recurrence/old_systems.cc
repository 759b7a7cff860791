// Lets the libraries load on systems that are older than the compiler: what its
// headers would have glibc and libstdc++ give, which those have only of late.

#include <new>
#include <sstream>

extern "C" {

// Of glibc 2.32: whether a program has one thread yet, in which references are
// counted without atomic instructions. 0: there may be threads.
// Hidden, or glibc could take it for its own.
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;

// std::stringstream(), of GCC 9, by the name that compilers give it.
void _ZNSt7__cxx1118basic_stringstreamIcSt11char_traitsIcESaIcEEC1Ev(
    void* stream) {
  new (stream) std::stringstream(std::ios_base::in | std::ios_base::out);
}

}  // extern "C"

namespace std {

// Of GCC 11.
void __throw_bad_array_new_length() { throw bad_array_new_length(); }

}  // namespace std
