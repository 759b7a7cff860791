// SharedWork among many threads. The items are plain memory: built with
// ThreadSanitizer, the tests fail if two threads touch one, or if the caller
// reads one that nothing orders before its reading.

#include "cc/recurrence/shared_work.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace contrib_rnn {
namespace {

using Work = std::function<void(int64_t, int64_t)>;

// None, one, fewer than threads, as many, odd, and many.
constexpr int64_t kCounts[] = {0, 1, 2, 3, 5, 7, 8, 9, 31, 64, 101};
constexpr int64_t kThreads[] = {1, 2, 3, 8};

// A cost that makes each item worth a thread.
constexpr int64_t kCostly = 80000;

// What the work leaves: a number an item, which depends on the item alone.
struct Items {
  explicit Items(int64_t count) : runs(count), values(count) {}

  void Run(int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      ++runs[item];
      double value = item;
      for (int i = 0; i < 20; ++i) value = std::sqrt(value + i);
      values[item] = value;
    }
  }

  Work AsWork() {
    return [this](int64_t first, int64_t last) { Run(first, last); };
  }

  std::vector<int> runs;
  std::vector<double> values;
};

void ExpectDoneOnce(const Items& items) {
  const int64_t count = items.runs.size();
  Items expected(count);
  expected.Run(0, count);
  EXPECT_EQ(items.runs, expected.runs);
  EXPECT_EQ(items.values, expected.values);
}

// A framework's threads: each takes the function that waits longest.
class ThreadPool {
 public:
  explicit ThreadPool(int threads) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { RunFunctions(); });
    }
  }

  ~ThreadPool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Schedule(std::function<void()> function) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      functions_.push_back(std::move(function));
    }
    changed_.notify_one();
  }

 private:
  void RunFunctions() {
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return ends_ || !functions_.empty(); });
      if (functions_.empty()) return;
      const std::function<void()> function = std::move(functions_.front());
      functions_.pop_front();
      lock.unlock();
      function();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> functions_;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

// Begins on all threads at once. The items are looked at before any thread is
// joined: nothing but Wait orders the others' work before that.
void RunOnThreads(int64_t count, int64_t threads) {
  Items items(count);
  const Work work = items.AsWork();
  SharedWork shared(count, threads, work);
  std::atomic<int64_t> ready(0);
  const auto take = [&](int64_t thread) {
    ++ready;
    while (ready < threads) std::this_thread::yield();
    shared.Take(thread);
  };
  std::vector<std::thread> others;
  for (int64_t i = 1; i < threads; ++i) others.emplace_back(take, i);
  take(0);
  shared.Wait();
  ExpectDoneOnce(items);
  for (std::thread& thread : others) thread.join();
}

TEST(SharedWorkTest, EveryItemIsDoneOnce) {
  for (const int64_t threads : kThreads) {
    for (const int64_t count : kCounts) {
      SCOPED_TRACE(testing::Message() << count << " on " << threads);
      for (int i = 0; i < 60; ++i) RunOnThreads(count, threads);
    }
  }
}

// The caller sleeps until an item is done that another has begun.
TEST(SharedWorkTest, WaitsForWhatAnotherHasBegun) {
  for (int i = 0; i < 50; ++i) {
    Items items(2);
    std::atomic<bool> begun(false);
    const Work work = [&](int64_t first, int64_t last) {
      if (first == 0) {
        while (!begun) std::this_thread::yield();
      } else {
        begun = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      items.Run(first, last);
    };
    SharedWork shared(2, 2, work);
    std::thread other([&] { shared.Take(1); });
    shared.Take(0);
    shared.Wait();
    ExpectDoneOnce(items);
    other.join();
  }
}

void RunOnPool(ThreadPool* pool, int rounds) {
  const auto schedule = [pool](std::function<void()> function) {
    pool->Schedule(std::move(function));
  };
  for (int round = 0; round < rounds; ++round) {
    for (const int64_t count : kCounts) {
      Items items(count);
      ShareWork(8, schedule, count, kCostly, items.AsWork());
      ExpectDoneOnce(items);
    }
  }
}

TEST(ShareWorkTest, EveryItemIsDoneOnce) {
  ThreadPool pool(7);
  RunOnPool(&pool, 300);
}

// As a framework runs several ops at a time.
TEST(ShareWorkTest, SeveralCallersShareThePool) {
  ThreadPool pool(4);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(RunOnPool, &pool, 100);
  for (std::thread& caller : callers) caller.join();
}

// Threads that begin when all is done find nothing, not even the function.
TEST(ShareWorkTest, TheWorkMayBeGoneWhenAThreadComes) {
  for (const int64_t count : kCounts) {
    std::vector<std::function<void()>> late;
    const auto schedule = [&late](std::function<void()> function) {
      late.push_back(std::move(function));
    };
    auto items = std::make_unique<Items>(count);
    auto work = std::make_unique<Work>(items->AsWork());
    ShareWork(8, schedule, count, kCostly, *work);
    ExpectDoneOnce(*items);
    work.reset();
    items.reset();
    std::vector<std::thread> threads;
    for (const auto& function : late) threads.emplace_back(function);
    for (std::thread& thread : threads) thread.join();
  }
}

// How many other threads are asked to help.
int64_t CountScheduled(int64_t threads, int64_t count, int64_t cost) {
  int64_t scheduled = 0;
  const auto schedule = [&scheduled](const std::function<void()>&) {
    ++scheduled;
  };
  Items items(count);
  ShareWork(threads, schedule, count, cost, items.AsWork());
  ExpectDoneOnce(items);
  return scheduled;
}

TEST(ShareWorkTest, AsksForAsManyThreadsAsTheWorkIsWorth) {
  EXPECT_EQ(CountScheduled(8, 100, kCostly), 7);
  EXPECT_EQ(CountScheduled(8, 5, kCostly), 4);
  EXPECT_EQ(CountScheduled(8, 100, 3 * kCostly / 100), 2);
  EXPECT_EQ(CountScheduled(8, 100, kCostly / 100), 0);
  EXPECT_EQ(CountScheduled(8, 1, 100 * kCostly), 0);
  EXPECT_EQ(CountScheduled(8, 0, kCostly), 0);
  EXPECT_EQ(CountScheduled(1, 100, kCostly), 0);
}

}  // namespace
}  // namespace contrib_rnn
