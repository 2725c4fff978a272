#include "node/control/up_json.h"

#include <format>

#include <nlohmann/json.hpp>

#include "node/control/json.h"
#include "node/control/json_values.h"

namespace node {

namespace {

using UpJson = nlohmann::ordered_json;

constexpr core::Duration kFreezeMin = std::chrono::seconds(1);

double seconds_of(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string line_of(const UpJson& document) {
    return document.dump(-1, ' ', false, UpJson::error_handler_t::replace) + "\n";
}

std::unexpected<core::Error> not_understood(std::string_view what) {
    return core::fail(core::ErrorKind::invalid, std::string(what));
}

}  // namespace

std::string format_up_status(const UpStatus& status) {
    UpJson document = {
        {"site", status.site},
        {"pid", status.pid},
        {"file", status.file},
        {"state_dir", status.state_dir},
        {"servers", UpJson::array()},
        {"frozen", UpJson::array()},
    };
    for (const UpServerStatus& server : status.servers) {
        document["servers"].push_back(
            {{"server", server.server}, {"pid", server.pid}, {"ready", server.is_ready}}
        );
    }
    for (const FrozenStatus& frozen : status.frozen) {
        document["frozen"].push_back(
            {{"server", frozen.server}, {"pid", frozen.pid}, {"left_seconds", seconds_of(frozen.left)}}
        );
    }
    return line_of(document);
}

core::Result<UpStatus> parse_up_status(std::string_view body) {
    UpJson document = UpJson::parse(body, nullptr, false);
    if (!document.is_object()) {
        return not_understood("the answer of trilith up is no JSON object");
    }
    std::string problem;
    UpStatus status;
    JsonValues values(&document, problem);
    values.read("site", status.site);
    values.read("pid", status.pid);
    values.read("file", status.file);
    values.read("state_dir", status.state_dir);
    values.read_each("servers", [&](const UpJson& one) {
        JsonValues value(&one, problem);
        UpServerStatus& server = status.servers.emplace_back();
        value.read("server", server.server);
        value.read("pid", server.pid);
        value.read("ready", server.is_ready);
    });
    values.read_each("frozen", [&](const UpJson& one) {
        JsonValues value(&one, problem);
        FrozenStatus& frozen = status.frozen.emplace_back();
        value.read("server", frozen.server);
        value.read("pid", frozen.pid);
        value.read("left_seconds", frozen.left);
    });
    if (!problem.empty()) {
        return not_understood("the answer of trilith up: " + problem);
    }
    return status;
}

std::string format_up_deed(const UpDeed& deed) {
    UpJson document = {{"server", deed.server}};
    if (deed.pid != 0) {
        document["pid"] = deed.pid;
    }
    if (deed.lasting > core::Duration::zero()) {
        document["seconds"] = seconds_of(deed.lasting);
    }
    return line_of(document);
}

core::Result<UpDeed> parse_up_deed(std::string_view body) {
    UpJson document = body.size() > kOrderBytesMax ? UpJson() : UpJson::parse(body, nullptr, false);
    if (!document.is_object()) {
        return not_understood("the body is no JSON object");
    }
    for (const auto& entry : document.items()) {
        if (entry.key() != "server" && entry.key() != "pid" && entry.key() != "seconds") {
            return not_understood(std::format("\"{}\" is not a key of this order", entry.key()));
        }
    }
    std::string problem;
    UpDeed deed;
    JsonValues values(&document, problem);
    values.read("server", deed.server);
    values.read("pid", deed.pid);
    values.read("seconds", deed.lasting);
    if (!problem.empty()) {
        return not_understood(problem);
    }
    if (deed.server.empty()) {
        return not_understood("\"server\" must be the name of a server");
    }
    if (deed.pid < 0 || deed.pid > INT32_MAX) {
        return not_understood("\"pid\" must be the number of a process");
    }
    bool is_lasting = deed.lasting != core::Duration::zero();
    if (is_lasting && (deed.lasting < kFreezeMin || deed.lasting > kFreezeMax)) {
        return not_understood(std::format("\"seconds\" must be 1 to {:.0f}", seconds_of(kFreezeMax)));
    }
    return deed;
}

}  // namespace node
