#include "node/drill/load_thread.h"

namespace node {

namespace {

// Tasks of their own, since a reactor runs those without a value.
runtime::Task<void> prepare_into(drill::Load& load, core::Instant deadline, core::Result<void>& result) {
    result = co_await load.prepare(deadline);
}

runtime::Task<void> check_into(
    drill::Load& load,
    core::Instant deadline,
    core::Result<drill::LedgerCheck>& result
) {
    result = co_await load.check(deadline);
}

}  // namespace

core::Result<std::unique_ptr<LoadThread>> LoadThread::open(runtime::Os& os, drill::LoadOptions options) {
    TRY(auto reactor, runtime::Reactor::open(os));
    return std::unique_ptr<LoadThread>(new LoadThread(std::move(reactor), std::move(options)));
}

core::Result<void> LoadThread::prepare(core::Duration within) {
    core::Result<void> result;
    reactor_->run(prepare_into(load_, reactor_->os().now() + within, result));
    return result;
}

core::Result<drill::LedgerCheck> LoadThread::check(core::Duration within) {
    core::Result<drill::LedgerCheck> result;
    reactor_->run(check_into(load_, reactor_->os().now() + within, result));
    return result;
}

void LoadThread::start() {
    thread_.emplace("drill", 1, [this](size_t) { reactor_->run(load_.run()); });
}

void LoadThread::finish() {
    if (thread_) {
        reactor_->post([this] { load_.finish(); });
        thread_.reset();
    }
}

}  // namespace node
