// Checks pools, their backends and their health checks.
#include "node/config/pools.h"

#include <algorithm>
#include <array>
#include <format>
#include <map>

#include "net/address.h"
#include "node/config/listen.h"
#include "node/config/names.h"

namespace node {

namespace {

using namespace std::chrono_literals;
using upstream::BackendConfig;
using upstream::HealthConfig;
using upstream::PoolConfig;

constexpr size_t kNameBytesMax = 100;
constexpr size_t kPoolsMax = 10'000;
constexpr size_t kBackendsMax = 10'000;
constexpr uint32_t kPlacesMax = 1'000'000;
constexpr std::array<std::string_view, 1> kAlgorithms{"round-robin"};
constexpr std::array<std::string_view, 4> kLaterAlgorithms{
    "least-connections",
    "random-two",
    "least-time",
    "hash"
};
constexpr std::array<std::string_view, 2> kModes{"active-active", "active-passive"};
constexpr std::string_view kExpectedBackend = "an address such as \"127.0.0.1:9001\"";

void read_health(Section& section, HealthConfig& health) {
    if (auto path = section.read_request_path("path")) {
        health.path = *path;
    }
    section.read("interval", health.interval, {100ms, 1h});
    section.read("timeout", health.timeout, {10ms, 1min});
    section.read("fall", health.fall, {1, 100});
    section.read("rise", health.rise, {1, 100});
    section.read("slow_start", health.slow_start, {0s, 1h});
    section.finish();
}

// The cure for a text that is not the address of a backend; it follows "found TEXT".
std::string_view backend_address_cure(std::string_view text) {
    if (text.contains("://")) {
        return ": write it without the scheme";
    }
    if (auto address = net::Address::parse(text)) {
        return is_any_address(*address) ? ", which is not one address" : "";
    }
    if (net::Address::parse_host(text)) {
        return text.contains(':') ? ": write [ADDRESS]:PORT" : ": the port is missing";
    }
    size_t colon = text.rfind(':');
    bool is_address =
        colon != std::string_view::npos && net::Address::parse_host(text.substr(0, colon)).has_value();
    if (is_address || text.starts_with('[')) {
        return ": the port is 1 to 65535";
    }
    return ": names are not looked up, write the IPv4 or IPv6 address";
}

std::optional<net::Address> read_backend_address(
    const TomlValue& value,
    const std::string& key,
    Problems& problems
) {
    auto text = read_text(value, {key, kExpectedBackend}, problems);
    if (!text) {
        return std::nullopt;
    }
    auto address = net::Address::parse(*text);
    if (address && !is_any_address(*address)) {
        return *address;
    }
    problems.add(
        value.position,
        std::format(
            "{}: expected {}, found {}{}",
            key,
            kExpectedBackend,
            in_quotes(*text),
            backend_address_cure(*text)
        )
    );
    return std::nullopt;
}

std::string read_backend_name(Section& section) {
    auto name = section.read_text("name", "a name such as \"b2\"");
    if (!name) {
        return {};
    }
    if (!is_name(*name, kNameBytesMax, ":[]")) {
        section.problems().add(
            section.find("name")->position,
            std::format(
                "{}: expected 1 to {} letters, digits, \".\", \"_\", \"-\" or \":\", found {}",
                section.dotted("name"),
                kNameBytesMax,
                in_quotes(*name)
            )
        );
    }
    return std::string(*name);
}

std::optional<BackendConfig> read_backend_table(
    const TomlValue& item,
    const SectionName& pool,
    Problems& problems
) {
    Section section(item, {pool.dotted + ".backends", "a backend of " + pool.title}, problems);
    BackendConfig backend;
    std::optional<net::Address> address;
    if (const TomlValue* value = section.find("address")) {
        address = read_backend_address(*value, section.dotted("address"), problems);
        backend.name = value->text;
    } else {
        problems.add(
            item.position,
            "a backend of " + pool.title + " needs an address, such as \"127.0.0.1:9001\""
        );
    }
    if (std::string name = read_backend_name(section); !name.empty()) {
        backend.name = std::move(name);
    }
    section.read("weight", backend.weight, {0, upstream::kWeightMax});
    section.read("backup", backend.is_backup);
    section.finish();
    if (!address) {
        return std::nullopt;
    }
    backend.address = *address;
    return backend;
}

std::optional<BackendConfig> read_backend(
    const TomlValue& item,
    const SectionName& pool,
    Problems& problems
) {
    if (item.kind == TomlValue::Kind::table) {
        return read_backend_table(item, pool, problems);
    }
    auto address = read_backend_address(item, pool.dotted + ".backends", problems);
    if (!address) {
        return std::nullopt;
    }
    return BackendConfig{.name = item.text, .address = *address};
}

void read_backends(Section& section, PoolConfig& pool) {
    constexpr std::string_view expected = "a list such as [\"127.0.0.1:9001\"]";
    const TomlValue* list = section.find("backends");
    auto items = section.read_list("backends", expected);
    if (list == nullptr ||
        (list->kind == TomlValue::Kind::list && (items.empty() || items.size() > kBackendsMax))) {
        section.problems().add(
            list == nullptr ? section.table().position : list->position,
            std::format(
                "{}: expected 1 to {} backends, found {}",
                section.dotted("backends"),
                kBackendsMax,
                list == nullptr ? "no such key" : std::to_string(items.size())
            )
        );
        return;
    }
    std::map<std::string, Position, std::less<>> places;   // by name
    std::map<std::string, Position, std::less<>> unnamed;  // by address, of those that are named by it
    for (const TomlValue& item : items) {
        auto backend = read_backend(item, section.name(), section.problems());
        if (!backend) {
            continue;
        }
        std::string address = backend->address.to_string();
        bool is_named = item.find("name") != nullptr;
        auto [same, is_new] = places.try_emplace(backend->name, item.position);
        auto [twin, is_alone] =
            is_named ? std::pair(same, true) : unnamed.try_emplace(address, item.position);
        if (!is_new || !is_alone) {
            Position place = is_new ? twin->second : same->second;
            section.problems().add(
                item.position,
                std::format(
                    "{} has the backend {} already (line {}); give each a name of its own",
                    section.name().title,
                    in_quotes(backend->name),
                    place.line
                )
            );
        }
        pool.backends.push_back(std::move(*backend));
    }
}

PoolConfig read_pool(const TomlMember& member, Section& section, const PoolConfig& defaults) {
    PoolConfig pool = defaults;
    pool.name = member.key;
    if (!is_name(member.key, kNameBytesMax)) {
        section.problems().add(
            member.position,
            std::format(
                "a pool's name has 1 to {} letters, digits, \".\", \"_\" or \"-\" and begins with a letter "
                "or digit; found {}",
                kNameBytesMax,
                in_quotes(member.key)
            )
        );
    }
    read_backends(section, pool);
    read_pool_defaults(section, pool);
    section.read("connections_max", pool.connections_max, {1, kPlacesMax});
    section.read("queue_max", pool.queue_max, {0, kPlacesMax});
    section.read("queue_timeout", pool.queue_timeout, {1ms, 10min});
    section.read("idle_timeout", pool.idle_timeout, {1s, 1h});
    section.finish();
    return pool;
}

}  // namespace

std::string_view algorithm_name(upstream::Algorithm algorithm) {
    return kAlgorithms[static_cast<size_t>(algorithm)];
}

std::string_view mode_name(upstream::Mode mode) { return kModes[static_cast<size_t>(mode)]; }

void read_pool_defaults(Section& section, PoolConfig& pool) {
    if (auto choice = section.read_choice("algorithm", kAlgorithms, kLaterAlgorithms)) {
        pool.algorithm = static_cast<upstream::Algorithm>(*choice);
    }
    if (auto choice = section.read_choice("mode", kModes)) {
        pool.mode = static_cast<upstream::Mode>(*choice);
    }
    section.read("failback", pool.has_failback);
    if (auto health = section.child("health")) {
        read_health(*health, pool.health);
    }
}

std::vector<PoolConfig> read_pools(Section& root, const PoolConfig& defaults, std::string_view taken) {
    std::vector<PoolConfig> pools;
    auto section = root.child("pools");
    if (!section) {
        return pools;
    }
    if (size_t count = section->table().members.size(); count > kPoolsMax) {
        root.problems().add(
            section->table().position,
            std::format("[pools]: expected 1 to {} pools, found {}", kPoolsMax, count)
        );
        return pools;
    }
    for (const TomlMember& member : section->table().members) {
        if (member.key == taken) {
            root.problems().add(
                member.position,
                std::format(
                    "[pools.{0}]: the pool of the servers with the role \"{0}\" has this name; take another",
                    taken
                )
            );
        }
        if (auto pool = section->child(member)) {
            pools.push_back(read_pool(member, *pool, defaults));
        } else {
            pools.emplace_back().name = member.key;
        }
    }
    return pools;
}

}  // namespace node
