// A ParallelFor on a framework's thread pool, with the caller taking part.

#ifndef CC_RECURRENCE_SHARED_WORK_H_
#define CC_RECURRENCE_SHARED_WORK_H_

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace contrib_rnn {

// Work that several threads take from, item by item: each has a range of its
// own, neighbours in memory, and then helps with the others'. Whoever waits,
// waits for no thread that has not begun: one that sleeps may need as long to
// wake up as a small recurrence runs.
class SharedWork {
 public:
  SharedWork(int64_t count, int64_t threads,
             const std::function<void(int64_t, int64_t)>& work)
      : left_(count), work_(work), next_(threads), ends_(threads) {
    for (int64_t i = 0; i < threads; ++i) {
      next_[i] = count * i / threads;
      ends_[i] = count * (i + 1) / threads;
    }
  }

  // Runs items as long as there are any. `work` is not touched once all have
  // been taken, so it may be gone when a late thread comes.
  void Take(int64_t thread) {
    const int64_t threads = static_cast<int64_t>(ends_.size());
    int64_t done = 0;
    for (int64_t i = 0; i < threads; ++i) {
      const int64_t range = (thread + i) % threads;
      for (;;) {
        const int64_t item = next_[range].fetch_add(1);
        if (item >= ends_[range]) break;
        work_(item, item + 1);
        ++done;
      }
    }
    if (done == 0 || left_.fetch_sub(done) > done) return;
    std::lock_guard<std::mutex> lock(mutex_);
    all_done_.notify_all();
  }

  void Wait() {
    // What the others still do is often short, and sleep is not.
    for (int i = 0; i < 20000 && left_ > 0; ++i) {
    }
    std::unique_lock<std::mutex> lock(mutex_);
    // Not all_done_.wait: GCC 12's is a function that older systems lack.
    while (left_ > 0) {
      pthread_cond_wait(all_done_.native_handle(), mutex_.native_handle());
    }
  }

 private:
  std::atomic<int64_t> left_;
  const std::function<void(int64_t, int64_t)>& work_;
  std::vector<std::atomic<int64_t>> next_;
  std::vector<int64_t> ends_;
  std::mutex mutex_;
  std::condition_variable all_done_;
};

// Does what a ParallelFor has to, on up to `threads` threads, of which the
// caller is one. `schedule` runs a function, soon, on another.
template <class Schedule>
void ShareWork(int64_t threads, const Schedule& schedule, int64_t count,
               int64_t cost,
               const std::function<void(int64_t, int64_t)>& work) {
  // In processor cycles: about what it takes to wake a thread.
  constexpr int64_t kWorthAThread = 80000;
  const int64_t wanted =
      std::min({threads, count, count * cost / kWorthAThread});
  if (wanted < 2) {
    work(0, count);
    return;
  }
  auto shared = std::make_shared<SharedWork>(count, wanted, work);
  for (int64_t i = 1; i < wanted; ++i) {
    schedule([shared, i] { shared->Take(i); });
  }
  shared->Take(0);
  shared->Wait();
}

}  // namespace contrib_rnn

#endif  // CC_RECURRENCE_SHARED_WORK_H_
