// Bodies by number; see traffic.h.
#include "sim/traffic.h"

#include "core/random.h"

namespace sim {

namespace {

std::string body_of(uint64_t seed) {
    core::Random random(seed);
    size_t size = random.below(16) == 0 ? 20'000 + random.below(40'000) : random.below(3'000);
    std::string body(size, '\0');
    for (char& byte : body) {
        byte = static_cast<char>(random.next() >> 56);
    }
    return body;
}

}  // namespace

std::string request_body(uint64_t id) { return body_of(id * 2); }

std::string answer_body(uint64_t id) { return body_of(id * 2 + 1); }

}  // namespace sim
