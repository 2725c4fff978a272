#include "node/verbs/sql_client.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <format>
#include <string>
#include <vector>

#include "cluster/programs.h"
#include "cluster/secrets.h"
#include "net/address.h"
#include "node/status/json.h"
#include "node/verbs/running_site.h"
#include "runtime/descriptor.h"
#include "runtime/process.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

constexpr int kNoClient = 1;

// What any server of the site says of the databases: all know where they are and who is primary.
Result<DatabaseStatus> ask_for_databases(const SqlOptions& options, Console& console) {
    TRY(RunningSite site, RunningSite::find(options.site, console));
    for (const ServerAnswer& answer :
         site.ask(console.os, {.method = http::Method::get, .path = "/v1/status", .body = {}})) {
        auto status =
            answer.is_good() ? parse_status_json(*answer.body) : fail(ErrorKind::refused, "no answer");
        if (status && status->database) {
            return *std::move(status->database);
        }
    }
    return fail(ErrorKind::not_found, "no server of the site keeps a database");
}

Result<net::Address> address_of(const DatabaseStatus& databases, const std::string& wanted) {
    if (wanted.empty() && databases.primary.empty()) {
        return fail(ErrorKind::not_found, "there is no primary yet: name a server with --server");
    }
    const std::string& server = wanted.empty() ? databases.primary : wanted;
    std::string known;
    for (const auto& [name, address] : databases.client.addresses) {
        if (name == server) {
            return net::Address::parse(address);
        }
        known += (known.empty() ? "" : ", ") + name;
    }
    return fail(
        ErrorKind::not_found,
        std::format("no server with a database is named \"{}\"; there are: {}", server, known)
    );
}

// A file in memory that ends with the client, readable by us alone: the client ignores one that others may
// write. So the password stands in no command line and in no environment.
Result<runtime::Descriptor> write_login(const DatabaseClientStatus& client) {
    TRY(auto secret, cluster::read_secret(client.password_file));
    if (!secret) {
        return fail(ErrorKind::not_found, client.password_file + " is not there");
    }
    runtime::Descriptor file(::memfd_create("trilith-sql", 0));
    std::string text = std::format("[client]\nuser = {}\npassword = {}\n", client.user, *secret);
    if (!file.is_open() || ::fchmod(file.get(), 0600) != 0 ||
        runtime::write_some(file.get(), text) != static_cast<ssize_t>(text.size())) {
        return fail(core::Error::of_errno(errno, "making a file in memory"));
    }
    return file;
}

// Only errors come back.
Result<void> become_client(const SqlOptions& options, Console& console) {
    TRY(DatabaseStatus databases, ask_for_databases(options, console));
    TRY(net::Address address, address_of(databases, options.server));
    TRY(std::string program, cluster::find_program("mariadb"));
    TRY(runtime::Descriptor login, write_login(databases.client));
    std::vector<std::string> words{
        program,
        std::format("--defaults-file=/proc/self/fd/{}", login.get()),
        "--host=" + address.host_string(),
        std::format("--port={}", address.port()),
        "--protocol=tcp",
        "--database=" + databases.client.schema,
    };
    words.insert(words.end(), options.words.begin(), options.words.end());
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    ::execv(program.c_str(), arguments.data());
    return fail(core::Error::of_errno(errno, "running " + program));
}

}  // namespace

int run(const SqlOptions& options, Console& console) {
    auto failed = become_client(options, console);
    console.err("trilith: " + failed.error().context() + "\n");
    return kNoClient;
}

}  // namespace node
