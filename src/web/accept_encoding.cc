#include "web/accept_encoding.h"

#include <utility>

#include "http/text.h"

namespace web {
namespace {

constexpr uint16_t kFullWeight = 1000;

// weight = OWS ";" OWS "q=" qvalue (section 12.4.2), of which `text` is what stands behind the ";". None: it
// is no weight.
std::optional<uint16_t> read_weight(std::string_view text) {
    text = http::trim(text);
    if (text.size() < 3 || http::to_lower(text[0]) != 'q' || text[1] != '=') {
        return std::nullopt;
    }
    text.remove_prefix(2);
    constexpr size_t kDigitsMax = 5;  // "0.123"
    if (text.size() > kDigitsMax || (text[0] != '0' && text[0] != '1')) {
        return std::nullopt;
    }
    auto weight = static_cast<uint16_t>(text[0] == '1' ? kFullWeight : 0);
    text.remove_prefix(1);
    if (!text.empty() && text[0] != '.') {
        return std::nullopt;
    }
    uint16_t scale = 100;
    for (const char digit : text.substr(text.empty() ? 0 : 1)) {
        if (!http::is_of(digit, http::kDigitByte)) {
            return std::nullopt;
        }
        weight = static_cast<uint16_t>(weight + (digit - '0') * scale);
        scale /= 10;
    }
    return weight > kFullWeight ? std::nullopt : std::optional(weight);
}

bool is_name_of(std::string_view name, Encoding encoding) {
    if (encoding == Encoding::gzip && http::equals_ignoring_case(name, "x-gzip")) {
        return true;  // section 8.4.1.3
    }
    return http::equals_ignoring_case(name, encoding_name(encoding));
}

void set_once(std::optional<uint16_t>& target, uint16_t weight) {
    if (!target) {
        target = weight;
    }
}

}  // namespace

std::string_view encoding_name(Encoding encoding) {
    switch (encoding) {
        case Encoding::brotli: return "br";
        case Encoding::zstandard: return "zstd";
        case Encoding::gzip: return "gzip";
    }
    return {};
}

std::string_view encoding_suffix(Encoding encoding) {
    switch (encoding) {
        case Encoding::brotli: return ".br";
        case Encoding::zstandard: return ".zst";
        case Encoding::gzip: return ".gz";
    }
    return {};
}

void AcceptedEncodings::add(std::string_view value) {
    while (!value.empty()) {
        const std::string_view element = http::take_list_element(value);
        const size_t semicolon = element.find(';');
        const std::string_view name = http::trim(element.substr(0, semicolon));
        std::optional<uint16_t> weight = kFullWeight;
        if (semicolon != std::string_view::npos) {
            weight = read_weight(element.substr(semicolon + 1));
        }
        if (!weight) {
            continue;
        }
        if (name == "*") {
            set_once(any_, *weight);
        } else if (http::equals_ignoring_case(name, "identity")) {
            set_once(identity_, *weight);
        }
        for (const Encoding encoding : {Encoding::brotli, Encoding::zstandard, Encoding::gzip}) {
            if (is_name_of(name, encoding)) {
                set_once(named_[std::to_underlying(encoding)], *weight);
            }
        }
    }
}

uint16_t AcceptedEncodings::weight(Encoding encoding) const {
    return named_[std::to_underlying(encoding)].value_or(any_.value_or(0));
}

std::optional<uint16_t> AcceptedEncodings::identity_weight() const { return identity_ ? identity_ : any_; }

EncodingChoice choose_encoding(const AcceptedEncodings& accepted, std::span<const Encoding> available) {
    const std::optional<uint16_t> identity = accepted.identity_weight();
    EncodingChoice choice{.is_acceptable = identity != 0};
    uint16_t best = 0;
    for (size_t i = 0; i < available.size(); ++i) {
        const uint16_t weight = accepted.weight(available[i]);
        if (weight > best && weight >= identity.value_or(0)) {
            best = weight;
            choice = {.is_acceptable = true, .sibling = i};
        }
    }
    return choice;
}

}  // namespace web
