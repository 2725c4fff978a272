// What an operator changed at run time (weight, drain, disable), kept over reload, restart and kill -9 in one
// file.
//
//   {"version": 1, "overrides": {"origin/b2": {"weight": 200}, "origin/b3": {"admin": "drain"}}}
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "balancer/pool_director.h"
#include "core/result.h"

namespace node {

using Override = balancer::BackendOverride;

// By "pool/backend". Those of backends that the configuration does not have (any more) are kept: they may
// come back.
using Overrides = std::map<std::string, Override, std::less<>>;

inline constexpr size_t kOverridesMax = 10000;
inline constexpr size_t kOverridesFileBytesMax = 1 << 20;

// Blocking: a change takes as long as the disk does. For the control path.
class OverrideStore {
public:
    // Reads what was kept in the file at `path` (SitePaths::overrides_file(); its directory must be there,
    // one process at a time: see lock_server()). No file: nothing is kept yet. ErrorKind::invalid: the file
    // is damaged (not JSON, an unknown key or value, over a bound): a human must look, since to go on would
    // forget a drain.
    [[nodiscard]] static core::Result<OverrideStore> open(std::string path);

    [[nodiscard]] const Overrides& all() const { return overrides_; }

    // What is kept for "pool/backend"; empty where nothing is.
    [[nodiscard]] Override find(std::string_view backend) const;

    // Changes one, an empty override forgets it. After success it survives a loss of power; after an error
    // (disk full, read-only) the file and all() are what they were. ErrorKind::exhausted: more than
    // kOverridesMax.
    [[nodiscard]] core::Result<void> set(std::string_view backend, const Override& override);

    // Replaces all at once, as set() does; empty ones are left out.
    [[nodiscard]] core::Result<void> replace(Overrides overrides);

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    OverrideStore(std::string path, Overrides overrides)
        : path_(std::move(path)), overrides_(std::move(overrides)) {}

    std::string path_;
    Overrides overrides_;
};

}  // namespace node
