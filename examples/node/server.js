// A program for a site in plain Node: listens on the socket that its supervisor hands over (LISTEN_FDS, descriptor 3),
// else on PORT, and ends at SIGTERM when what runs has been answered.
'use strict';

const http = require('node:http');

const STOP_MS = 10_000;

const server = http.createServer((request, response) => {
    const path = request.url.split('?')[0];
    if (path === '/healthz') {
        response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end('ok\n');
    } else if (path === '/') {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify({ hello: 'from node', process: process.pid }) + '\n');
    } else {
        response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('404 Not Found\n');
    }
});

// Longer than the balancer keeps an idle connection (50 s), so that it is never we who close one that it is about to use.
server.keepAliveTimeout = 75_000;

const isHandedOver = Number(process.env.LISTEN_FDS) >= 1 && Number(process.env.LISTEN_PID) === process.pid;
server.listen(isHandedOver ? { fd: 3 } : { port: Number(process.env.PORT || 8080), host: '127.0.0.1' }, () => {
    const address = server.address(); // null for a socket that was handed over
    console.error(address ? `listening on ${address.address}:${address.port}` : 'listening on the socket that was handed over');
});

function stop() {
    server.close(() => process.exit(0)); // closes idle connections, waits for the rest
    setTimeout(() => process.exit(0), STOP_MS).unref();
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
