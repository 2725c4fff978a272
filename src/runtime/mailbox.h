// Messages to a reactor from any thread: calls that run on it, in the order of posting, in its next turn.
#pragma once

#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace runtime {

// A call that another thread asked for. Runs once, on the receiving reactor.
class Message {
public:
    virtual ~Message() = default;
    virtual void deliver() = 0;
};

template <class Call>
class CallMessage final : public Message {
public:
    explicit CallMessage(Call call) : call_(std::move(call)) {}

    void deliver() override { call_(); }

private:
    Call call_;
};

class Mailbox {
public:
    // True when the box was empty: the receiver must be woken.
    [[nodiscard]] bool put(std::unique_ptr<Message> message) {
        std::lock_guard lock(mutex_);
        messages_.push_back(std::move(message));
        return messages_.size() == 1;
    }

    [[nodiscard]] std::vector<std::unique_ptr<Message>> take_all() {
        std::lock_guard lock(mutex_);
        return std::exchange(messages_, {});
    }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Message>> messages_;
};

}  // namespace runtime
