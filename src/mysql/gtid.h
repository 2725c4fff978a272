// MariaDB's global transaction ids: domain-server-sequence, and positions that hold the last one of each
// domain, as "0-1-270,5-2-13" (MariaDB KB: gtid).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mysql {

struct Gtid {
    uint32_t domain = 0;
    uint32_t server = 0;
    uint64_t sequence = 0;

    friend bool operator==(const Gtid&, const Gtid&) = default;
};

// Three decimal numbers with "-" between and nothing else; nothing for any other text.
[[nodiscard]] std::optional<Gtid> read_gtid(std::string_view text);

// The longest text of one: 10 + 1 + 10 + 1 + 20.
constexpr size_t kGtidTextMax = 42;

// At most kDomainsMax domains, in the order of their numbers. A value: no memory of its own.
class GtidPosition {
public:
    static constexpr size_t kDomainsMax = 16;

    // "" is the empty position. Spaces around the commas are taken, as the server does. Nothing for malformed
    // text, a domain that comes twice, and more than kDomainsMax.
    [[nodiscard]] static std::optional<GtidPosition> read(std::string_view text);

    [[nodiscard]] bool is_empty() const { return count_ == 0; }

    // By domain, ascending.
    [[nodiscard]] std::span<const Gtid> gtids() const { return std::span(gtids_).first(count_); }

    // Takes the later of both in its domain: the one with the higher sequence number; at the same number,
    // what is there stays. False, and nothing changed, if it would be one domain too many.
    [[nodiscard]] bool merge(const Gtid& gtid);

    // The same for each of them. False if any had no room; the others were taken.
    [[nodiscard]] bool merge(const GtidPosition& other);

    // Whether whoever stands at this position has everything up to `other`: in each of its domains a sequence
    // number at least as high. Server ids do not count: after a failover another server continues the
    // numbers. An empty `other` is covered always.
    [[nodiscard]] bool covers(const Gtid& gtid) const;
    [[nodiscard]] bool covers(const GtidPosition& other) const;

    void append_to(std::string& text) const;

    friend bool operator==(const GtidPosition& a, const GtidPosition& b);

private:
    std::array<Gtid, kDomainsMax> gtids_{};
    size_t count_ = 0;
};

}  // namespace mysql
