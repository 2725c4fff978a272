#include "runtime/blocking_pool.h"

#include "core/panic.h"

namespace runtime {

BlockingPool::~BlockingPool() {
    {
        std::lock_guard lock(mutex_);
        ASSERT(waiting_.empty());
        is_ending_ = true;
    }
    has_work_.notify_all();
    threads_.reset();
}

bool BlockingPool::try_submit(Job& job) {
    {
        std::lock_guard lock(mutex_);
        if (running_ + waiting_.size() >= options_.threads + options_.queue_max) {
            return false;
        }
        if (!threads_) {
            threads_.emplace("blocking", options_.threads, [this](size_t) { work(); });
        }
        waiting_.push_back(&job);
    }
    has_work_.notify_one();
    return true;
}

void BlockingPool::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        has_work_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
        if (waiting_.empty()) {
            return;
        }
        Job* job = waiting_.front();
        waiting_.pop_front();
        ++running_;
        lock.unlock();
        job->run();
        lock.lock();
        --running_;
    }
}

}  // namespace runtime
