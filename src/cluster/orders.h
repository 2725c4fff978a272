// What an operator may order of the leader, and what an order would do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cluster {

enum class OrderKind : uint8_t {
    switchover,  // the primary moves to another server, without a write that fails
    failover,    // another server takes the place of a primary that does not answer
    rejoin,      // a server that was left alone becomes a replica again
};

struct Order {
    OrderKind kind = OrderKind::switchover;
    std::string server{};         // whom it is about; empty: the best for it (switchover, failover)
    bool kills = false;           // switchover: ends transactions that do not end by themselves
    bool accepts_loss = false;    // failover: though what was acknowledged may be lost by it
    bool discards_extra = false;  // rejoin: though the server has what the primary has not

    friend bool operator==(const Order&, const Order&) = default;
};

struct OrderPlan {
    std::string server{};                  // whom it is about
    std::vector<std::string> sentences{};  // what is done, in order
};

// The order that was given last.
struct OrderStatus {
    uint64_t number = 0;  // 0: none was given
    OrderKind kind = OrderKind::switchover;
    bool is_running = false;
    std::string sentence{};  // how it ended well
    std::string error{};     // not empty: why it was not done
};

// "switchover", as its verb is called.
[[nodiscard]] constexpr const char* order_name(OrderKind kind) {
    switch (kind) {
        case OrderKind::switchover: return "switchover";
        case OrderKind::failover: return "failover";
        case OrderKind::rejoin: return "rejoin";
    }
    return "";
}

}  // namespace cluster
