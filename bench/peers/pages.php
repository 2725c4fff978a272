<?php
// The same as peers/app_pages.cc, as PHP's users write it: a persistent connection, prepared statements.
$database = new PDO(getenv('BENCH_DSN'), getenv('BENCH_USER'), getenv('BENCH_PASSWORD'), [
    PDO::ATTR_PERSISTENT => true,
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
]);
if ($_SERVER['DOCUMENT_URI'] === '/one') {
    $statement = $database->prepare('SELECT id, message FROM fortune WHERE id = ?');
    $statement->execute([(int) ($_GET['id'] ?? 1)]);
    header('Content-Type: application/json');
    echo json_encode($statement->fetch());
    return;
}
$fortunes = $database->query('SELECT id, message FROM fortune')->fetchAll();
$fortunes[] = ['id' => 0, 'message' => 'Additional fortune added at request time.'];
usort($fortunes, fn($a, $b) => strcmp($a['message'], $b['message']));
?>
<!doctype html>
<html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>
<?php foreach ($fortunes as $fortune): ?>
<tr><td><?= $fortune['id'] ?></td><td><?= htmlspecialchars($fortune['message']) ?></td></tr>
<?php endforeach ?>
</table></body></html>
