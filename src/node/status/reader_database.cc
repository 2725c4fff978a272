#include "node/status/reader_database.h"

namespace node {

namespace {

using OrderedJson = nlohmann::ordered_json;

DatabaseServerStatus read_database_server(JsonValues object) {
    DatabaseServerStatus server;
    object.read("server", server.server);
    object.read("standing", server.standing);
    object.read("answers", server.answers);
    object.read("read_only", server.is_read_only);
    object.read("acknowledges", server.acknowledges);
    object.read("armed", server.is_armed);
    object.read("written", server.written);
    object.read("received", server.received);
    object.read("applied", server.applied);
    object.read("reason", server.reason);
    object.read("drift", server.drift);
    object.read("extra", server.extra);
    object.read_each("aside", [&](const OrderedJson& file) {
        if (file.is_string()) {
            server.aside.push_back(file.get<std::string>());
        }
    });
    return server;
}

DatabaseClientStatus read_database_client(JsonValues object) {
    DatabaseClientStatus client;
    object.read("user", client.user);
    object.read("password_file", client.password_file);
    object.read("schema", client.schema);
    object.read_each("addresses", [&](const OrderedJson& one) {
        JsonValues value(&one, object.problem());
        auto& [server, address] = client.addresses.emplace_back();
        value.read("server", server);
        value.read("address", address);
    });
    return client;
}

}  // namespace

DatabaseStatus read_database_status(JsonValues object) {
    DatabaseStatus database;
    object.read("epoch", database.epoch);
    object.read("primary", database.primary);
    object.read("gate", database.gate);
    object.read("durability", database.durability);
    object.read("leads", database.leads);
    object.read("doing", database.sentence);
    object.read("no_failover", database.no_failover);
    if (JsonValues agent = object.child("mariadbd"); agent.is_there()) {
        DatabaseAgentStatus& status = database.agent.emplace();
        agent.read("state", status.state);
        agent.read("reason", status.reason);
        agent.read("pid", status.pid);
        agent.read("starts_total", status.starts_total);
        agent.read("free_bytes", status.free_bytes);
    }
    object.read("write_seconds", database.write_took);
    JsonValues order = object.child("order");
    order.read("number", database.order.number);
    order.read("verb", database.order.verb);
    order.read("running", database.order.is_running);
    order.read("sentence", database.order.sentence);
    order.read("error", database.order.error);
    database.client = read_database_client(object.child("client"));
    object.read_each("servers", [&](const OrderedJson& server) {
        database.servers.push_back(read_database_server(JsonValues(&server, object.problem())));
    });
    return database;
}

}  // namespace node
