// What the configuration says of the database cluster that is kept here, and where its parts are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/units.h"
#include "net/address.h"
#include "upstream/topology.h"

namespace cluster {

// What becomes of writes when no replica is left that could acknowledge them.
enum class Alone : uint8_t {
    async,  // they are acknowledged by the primary alone, and the cluster says so
    hold,   // they wait
};

// What becomes of a server that has what the primary has not, or cannot get what it lacks.
enum class Rejoin : uint8_t {
    ordered,    // it is left alone until `trilith rejoin`
    automatic,  // what it has more is written to a file, its data are put aside, the primary's copied
};

// [database], where a server has the role.
struct Config {
    std::string name;     // the site's schema, which its program uses
    std::string primary;  // the first primary: a server; later it is where a failover put it
    upstream::Durability durability = upstream::Durability::lossless;
    Alone alone = Alone::async;
    Rejoin rejoin = Rejoin::ordered;
    uint64_t memory = 256ULL << 20;  // bytes of each mariadbd's buffer pool; 16MiB to 16TiB
    std::string directory;           // absolute; below it one directory a server; empty: the state directory
    uint16_t port = 3307;            // of each mariadbd, at its server's address; 1 to 65535
    uint16_t manager_port = 3308;    // the same, for us alone: answers when all places of `port` are taken

    friend bool operator==(const Config&, const Config&) = default;
};

// One server of the cluster.
struct Place {
    std::string server{};
    net::Address database{};  // where its mariadbd serves clients and replicas
    net::Address manager{};   // where it answers us
    std::string directory{};  // its own: data, settings, lock
    // Of the SQL routers: who may tell it another address than that which a connection comes from.
    std::vector<net::Address> proxies{};
};

}  // namespace cluster
