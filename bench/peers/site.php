<?php
// Two pages of examples/foobar, the front page and a user's, as PHP's users write them: a persistent connection,
// prepared statements in one trip to the server, one output buffer.
require __DIR__ . '/site_pages.php';

const USERS_ON_PAGE = 12;

function typed(string $name): string
{
    return trim($_GET[$name] ?? '');
}

/** For LIKE … ESCAPE '!'. */
function containing(string $text): string
{
    return '%' . strtr($text, ['%' => '!%', '_' => '!_', '!' => '!!']) . '%';
}

function list_url(string $q, int $page): string
{
    return '/?q=' . rawurlencode($q) . '&page=' . $page;
}

/** $life: until when it is believed; a cookie's is the browser's business. */
function signed(string $name, string $value, int $life): string
{
    $text = $value . '.' . (time() + $life);
    $digest = hash_hmac('sha256', $name . '=' . $text, $_SERVER['BENCH_PASSWORD'], true);
    return $text . '.' . rtrim(strtr(base64_encode($digest), '+/', '-_'), '=');
}

/** The token of a form; a visitor who has no cookie yet gets one. */
function form_token(): string
{
    $visitor = bin2hex(random_bytes(16));
    header('Set-Cookie: visitor=' . signed('visitor', $visitor, 86400) . '; Path=/; HttpOnly; SameSite=Lax');
    return signed('form_token', $visitor, 43200);
}

/** What every page says of the database server that answered. */
function answering(array $row): array
{
    return [
        'server' => $row['server'] . ', ' . ($row['is_replica'] ? 'replica' : 'primary'),
        'age' => sprintf('at most %.1f s old', max($row['age'], 0) / 1e6),
    ];
}

function show_list(PDO $database): void
{
    $q = typed('q');
    $number = max(1, min((int) ($_GET['page'] ?? 1), 1000000));
    $statement = $database->prepare(
        'SELECT a.server, a.is_replica, TIMESTAMPDIFF(MICROSECOND, a.beat, UTC_TIMESTAMP(6)) AS age, u.id, '
        . 'u.name, u.email, u.city FROM answering AS a LEFT JOIN (SELECT id, name, email, city FROM users '
        . "WHERE name LIKE ? ESCAPE '!' OR email LIKE ? ESCAPE '!' OR city LIKE ? ESCAPE '!' "
        . 'ORDER BY name, id LIMIT ? OFFSET ?) AS u ON TRUE ORDER BY u.name, u.id'
    );
    foreach ([1, 2, 3] as $at) {
        $statement->bindValue($at, containing($q));
    }
    $statement->bindValue(4, USERS_ON_PAGE + 1, PDO::PARAM_INT);
    $statement->bindValue(5, ($number - 1) * USERS_ON_PAGE, PDO::PARAM_INT);
    $statement->execute();
    $rows = $statement->fetchAll();
    $users = array_filter($rows, fn($row) => $row['id'] !== null);
    $more = count($users) > USERS_ON_PAGE;
    list_page(answering($rows[0]), array_slice($users, 0, USERS_ON_PAGE), $q, $number,
        $number > 1 ? list_url($q, $number - 1) : null, $more ? list_url($q, $number + 1) : null);
}

function show_user(PDO $database, string $path, int $id): void
{
    $statement = $database->prepare(
        'SELECT a.server, a.is_replica, TIMESTAMPDIFF(MICROSECOND, a.beat, UTC_TIMESTAMP(6)) AS age, u.name, '
        . 'u.email, u.city FROM users AS u JOIN answering AS a WHERE u.id = ?'
    );
    $statement->bindValue(1, $id, PDO::PARAM_INT);
    $statement->execute();
    if (!$row = $statement->fetch()) {
        http_response_code(404);
        return;
    }
    form_page(answering($row), $path, form_token(), $row);
}

$database = new PDO($_SERVER['BENCH_DSN'], $_SERVER['BENCH_USER'], $_SERVER['BENCH_PASSWORD'], [
    PDO::ATTR_PERSISTENT => true,
    PDO::ATTR_EMULATE_PREPARES => true,
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
]);
ob_start();
header('Content-Type: text/html; charset=utf-8');
header('Cache-Control: no-store');
header('X-Content-Type-Options: nosniff');
header('Referrer-Policy: same-origin');
header("Content-Security-Policy: default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    . "base-uri 'none'; frame-ancestors 'none'");
$path = $_SERVER['DOCUMENT_URI'];
if ($path === '/') {
    show_list($database);
} elseif (preg_match('#^/users/(\d+)$#', $path, $found)) {
    show_user($database, $path, (int) $found[1]);
} else {
    http_response_code(404);
}
header('Content-Length: ' . ob_get_length());
