#include "node/up/servers.h"

#include <csignal>

namespace node {

std::vector<UpServerStatus> server_statuses(const UpServers& servers) {
    std::vector<UpServerStatus> statuses;
    for (const UpServer& server : servers) {
        statuses.push_back({server.server, server.pid, server.pid > 0 && server.is_told});
    }
    return statuses;
}

std::vector<std::string> running_servers(const UpServers& servers) {
    std::vector<std::string> names;
    for (const UpServer& server : servers) {
        if (server.pid > 0) {
            names.push_back(server.server);
        }
    }
    return names;
}

void signal_all(const UpServers& servers, int number) {
    for (const UpServer& server : servers) {
        if (server.pid > 0) {
            kill(server.pid, number);
        }
    }
}

}  // namespace node
