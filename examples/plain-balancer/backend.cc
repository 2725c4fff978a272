// A small backend to look at: answers every request with its own address and what the balancer told it.
#include <cstdio>
#include <string>

#include "net/address.h"
#include "net/listener.h"
#include "node/control/server.h"
#include "runtime/linux_os.h"
#include "runtime/reactor.h"

namespace {

int refuse(const std::string& sentence) {
    std::fprintf(stderr, "example_backend: %s\n", sentence.c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        return refuse("usage: example_backend ADDRESS:PORT");
    }
    auto address = net::Address::parse(argv[1]);
    if (!address) {
        return refuse(address.error().context());
    }
    runtime::LinuxOs os;
    auto reactor = runtime::Reactor::open(os);
    if (!reactor) {
        return refuse(reactor.error().context());
    }
    auto listener = net::Listener::open(**reactor, *address, {});
    if (!listener) {
        return refuse(listener.error().context());
    }
    std::string name = argv[1];
    node::ControlServer server(**reactor, *std::move(listener), [&](const node::ControlRequest& request) {
        return node::ControlReply{
            .content_type = "text/plain; charset=utf-8",
            .body = "backend " + name + " answers " + std::string(request.path) + "\n",
        };
    });
    (*reactor)->run(server.serve());
    return 0;
}
