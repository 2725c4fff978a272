#include "drill/pacer.h"

#include <utility>

namespace drill {

Pacer::Pacer(runtime::Reactor& reactor, Work& work, Options options)
    : reactor_(reactor), work_(work), options_(options), ending_(reactor), group_(reactor, options.workers) {
    for (size_t worker = 0; worker < options.workers; ++worker) {
        idle_.push_back(worker);
    }
}

runtime::Task<void> Pacer::run() {
    Turn next{.number = 0, .due = reactor_.now()};
    while (!is_ending_) {
        if (next.due > reactor_.now() && co_await ending_.wait(next.due) != runtime::Outcome::timed_out) {
            break;
        }
        due_.push_back(next);
        next = {.number = next.number + 1, .due = next.due + options_.step};
        hand_out();
    }
    co_await group_.join();
}

void Pacer::finish() {
    is_ending_ = true;
    ending_.set();
}

void Pacer::hand_out() {
    while (!due_.empty() && !idle_.empty()) {
        size_t worker = idle_.front();
        idle_.pop_front();
        group_.spawn(serve(worker));
    }
}

runtime::Task<void> Pacer::serve(size_t worker) {
    while (!due_.empty()) {
        Turn turn = due_.front();
        due_.pop_front();
        if (turn.due + options_.timeout <= reactor_.now()) {
            work_.give_up(turn);
            continue;
        }
        co_await work_.work(worker, turn);
    }
    idle_.push_back(worker);
}

}  // namespace drill
