// Counts by key, shared by all cores: how many connections each client address has. An entry exists only
// while its count is above zero, so the table is bounded by what is counted.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace runtime {

class KeyedCount {
public:
    using Key = std::array<uint8_t, 16>;

    // Adds one unless the key has `limit` already; then false.
    [[nodiscard]] bool try_add(const Key& key, uint32_t limit) {
        Shard& shard = shard_of(key);
        std::lock_guard lock(shard.mutex);
        uint32_t& count = shard.counts[key];
        if (count >= limit) {
            return false;
        }
        ++count;
        return true;
    }

    // Takes back what try_add() added.
    void remove(const Key& key) {
        Shard& shard = shard_of(key);
        std::lock_guard lock(shard.mutex);
        auto found = shard.counts.find(key);
        if (--found->second == 0) {
            shard.counts.erase(found);
        }
    }

private:
    struct Hash {
        size_t operator()(const Key& key) const {
            uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
            for (uint8_t byte : key) {
                hash = (hash ^ byte) * 0x100000001B3;
            }
            return hash;
        }
    };

    struct Shard {
        std::mutex mutex;
        std::unordered_map<Key, uint32_t, Hash> counts;
    };

    Shard& shard_of(const Key& key) { return shards_[(Hash{}(key) >> 32) % shards_.size()]; }

    std::array<Shard, 16> shards_;
};

}  // namespace runtime
