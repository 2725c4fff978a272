#include "node/up/words.h"

#include <chrono>

namespace node {

std::string whole_milliseconds(core::Duration duration) {
    return core::format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
}

std::string list_of(const std::vector<ServerConfig>& servers) {
    std::string text;
    for (const ServerConfig& server : servers) {
        text += text.empty() ? "" : ", ";
        text += server.name + " at " + server.address.host_string();
    }
    return text;
}

}  // namespace node
