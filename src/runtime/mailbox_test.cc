// The mailbox keeps order and says exactly when its receiver must be woken.
#include "runtime/mailbox.h"

#include <vector>

#include <doctest/doctest.h>

#include "runtime/cores.h"

namespace runtime {
namespace {

template <class Call>
std::unique_ptr<Message> message(Call call) {
    return std::make_unique<CallMessage<Call>>(std::move(call));
}

TEST_CASE("only the first message into an empty box asks for a wake-up") {
    Mailbox box;
    std::vector<int> order;
    CHECK(box.put(message([&] { order.push_back(1); })));
    CHECK_FALSE(box.put(message([&] { order.push_back(2); })));
    CHECK_FALSE(box.put(message([&] { order.push_back(3); })));
    for (auto& taken : box.take_all()) {
        taken->deliver();
    }
    CHECK(order == std::vector<int>{1, 2, 3});
    CHECK(box.take_all().empty());
    CHECK(box.put(message([] {})));
}

TEST_CASE("messages of several threads are all taken, each sender's in its order") {
    constexpr size_t kSenders = 4;
    constexpr int kEach = 20000;
    Mailbox box;
    std::vector<int> next(kSenders, 0);
    int disordered = 0;
    auto deliver_all = [&] {
        for (auto& taken : box.take_all()) {
            taken->deliver();
        }
    };
    {
        Cores senders("test", kSenders, [&](size_t sender) {
            for (int number = 0; number < kEach; ++number) {
                [[maybe_unused]] bool must_wake = box.put(message([&next, &disordered, sender, number] {
                    disordered += next[sender] == number ? 0 : 1;
                    next[sender] = number + 1;
                }));
            }
        });
        for (int round = 0; round < 1000; ++round) {
            deliver_all();
        }
    }
    deliver_all();
    CHECK(next == std::vector<int>(kSenders, kEach));
    CHECK(disordered == 0);
}

}  // namespace
}  // namespace runtime
