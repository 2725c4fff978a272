#include "sql/login_guard.h"

#include <sys/socket.h>

#include <chrono>
#include <string_view>

namespace sql {

namespace {

constexpr core::Duration kWindow = std::chrono::minutes(1);

}  // namespace

size_t LoginGuard::Hash::operator()(const std::array<uint8_t, 16>& key) const {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
}

bool LoginGuard::is_blocked(const net::Address& client, core::Instant now) const {
    auto known = failures_.find(client.bytes());
    return known != failures_.end() && now - known->second.first < kWindow &&
           known->second.count >= failures_max_;
}

void LoginGuard::note_failure(const net::Address& client, core::Instant now) {
    if (client.family() == AF_UNIX) {
        return;  // they all share one address
    }
    if (failures_.size() >= kAddressesMax) {
        std::erase_if(failures_, [&](const auto& entry) { return now - entry.second.first >= kWindow; });
        if (failures_.size() >= kAddressesMax) {
            failures_.clear();
        }
    }
    Failures& of_client = failures_[client.bytes()];
    if (of_client.count == 0 || now - of_client.first >= kWindow) {
        of_client = {.first = now, .count = 0};
    }
    ++of_client.count;
}

}  // namespace sql
