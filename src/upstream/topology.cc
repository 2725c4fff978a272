#include "upstream/topology.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <optional>

namespace upstream {

namespace {

constexpr std::string_view kTitle = "trilith-topology 1";
constexpr std::string_view kEnd = "end";
constexpr std::array<std::string_view, 2> kGates{"open", "held"};
constexpr std::array<std::string_view, 2> kDurabilities{"lossless", "async"};
constexpr std::array<std::string_view, 6>
    kStandings{"primary", "acker", "bystander", "former", "diverged", "renewing"};
// Its number follows.
constexpr std::string_view kRenewing = "renewing ";

template <class Choice, size_t Count>
bool read_name(const std::array<std::string_view, Count>& names, std::string_view text, Choice& choice) {
    auto found = std::ranges::find(names, text);
    choice = static_cast<Choice>(found - names.begin());
    return found != names.end();
}

bool read_number_whole(std::string_view text, uint64_t& number) {
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    return status == std::errc{} && end == text.data() + text.size();
}

constexpr size_t kFloorMax = 1000;

bool is_word(std::string_view text, size_t bytes_max) {
    return !text.empty() && text.size() <= bytes_max &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_server_name(std::string_view text) {
    constexpr size_t kNameMax = 63;
    return is_word(text, kNameMax);
}

bool read_member(std::string_view text, Topology& topology) {
    size_t space = text.find(' ');
    if (space == std::string_view::npos || topology.members.size() >= kTopologyMembersMax) {
        return false;
    }
    Member member{.server = std::string(text.substr(0, space))};
    bool is_known = std::ranges::contains(topology.members, member.server, &Member::server);
    std::string_view standing = text.substr(space + 1);
    bool is_renewal_read = true;
    if (standing.starts_with(kRenewing)) {
        std::string_view number = standing.substr(kRenewing.size());
        is_renewal_read = read_number_whole(number, member.renewal) && member.renewal > 0;
        standing = standing_name(Standing::renewing);
    }
    bool is_read = is_server_name(member.server) && !is_known && is_renewal_read &&
                   read_name(kStandings, standing, member.standing) &&
                   (member.standing == Standing::renewing) == (member.renewal != 0);
    topology.members.push_back(std::move(member));
    return is_read;
}

bool read_line(std::string_view key, std::string_view value, Topology& topology) {
    if (key == "version") {
        return read_number_whole(value, topology.version);
    }
    if (key == "epoch") {
        return read_number_whole(value, topology.epoch);
    }
    if (key == "gate") {
        return read_name(kGates, value, topology.gate);
    }
    if (key == "durability") {
        return read_name(kDurabilities, value, topology.durability);
    }
    if (key == "floor") {
        topology.floor = value;
        return is_word(value, kFloorMax);
    }
    if (key == "member") {
        return read_member(value, topology);
    }
    std::string* name = key == "primary" ? &topology.primary : key == "move" ? &topology.move : nullptr;
    if (name == nullptr || !is_server_name(value)) {
        return false;
    }
    *name = value;
    return true;
}

std::optional<std::string_view> next_line(std::string_view& text) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

}  // namespace

std::string_view gate_name(Gate gate) { return kGates[static_cast<size_t>(gate)]; }

std::string_view durability_name(Durability durability) {
    return kDurabilities[static_cast<size_t>(durability)];
}

std::string_view standing_name(Standing standing) { return kStandings[static_cast<size_t>(standing)]; }

Standing Topology::standing_of(std::string_view server) const {
    auto found = std::ranges::find(members, server, &Member::server);
    return found == members.end() ? Standing::bystander : found->standing;
}

void Topology::set_standing(std::string_view server, Standing standing) {
    auto found = std::ranges::find(members, server, &Member::server);
    if (found == members.end()) {
        members.push_back({.server = std::string(server), .standing = standing});
    } else {
        found->standing = standing;
        found->renewal = 0;
    }
}

void Topology::renew(std::string_view server) {
    set_standing(server, Standing::renewing);
    std::ranges::find(members, server, &Member::server)->renewal = version + 1;
}

uint64_t Topology::renewal_of(std::string_view server) const {
    auto found = std::ranges::find(members, server, &Member::server);
    return found == members.end() ? 0 : found->renewal;
}

std::vector<std::string> Topology::with_standing(Standing standing) const {
    std::vector<std::string> found;
    for (const Member& member : members) {
        if (member.standing == standing) {
            found.push_back(member.server);
        }
    }
    return found;
}

std::string write_topology(const Topology& topology) {
    std::string text = std::format("{}\nversion {}\nepoch {}\n", kTitle, topology.version, topology.epoch);
    if (!topology.primary.empty()) {
        text += std::format("primary {}\n", topology.primary);
    }
    text += std::format(
        "gate {}\ndurability {}\n",
        gate_name(topology.gate),
        durability_name(topology.durability)
    );
    if (!topology.move.empty()) {
        text += std::format("move {}\n", topology.move);
    }
    if (!topology.floor.empty()) {
        text += std::format("floor {}\n", topology.floor);
    }
    for (const Member& member : topology.members) {
        text += std::format("member {} {}", member.server, standing_name(member.standing));
        text += member.renewal != 0 ? std::format(" {}\n", member.renewal) : "\n";
    }
    return text + std::string(kEnd) + "\n";
}

core::Result<Topology> read_topology(std::string_view text) {
    auto refuse = [](size_t number, std::string_view line) {
        return core::fail(
            core::ErrorKind::invalid,
            std::format("line {}: \"{}\" does not belong there", number, line.substr(0, 100))
        );
    };
    if (text.size() > kTopologyTextMax) {
        return core::fail(core::ErrorKind::too_large, std::format("more than {} bytes", kTopologyTextMax));
    }
    Topology topology;
    size_t number = 1;
    auto line = next_line(text);
    if (line != kTitle) {
        return refuse(number, line.value_or(""));
    }
    for (line = next_line(text); line && *line != kEnd; line = next_line(text)) {
        ++number;
        size_t space = line->find(' ');
        if (space == std::string_view::npos ||
            !read_line(line->substr(0, space), line->substr(space + 1), topology)) {
            return refuse(number, *line);
        }
    }
    if (!line || !text.empty()) {
        return core::fail(core::ErrorKind::invalid, "it does not end as it should");
    }
    return topology;
}

}  // namespace upstream
