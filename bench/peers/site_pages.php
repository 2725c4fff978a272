<?php
// The templates of examples/foobar/pages.h that bench/site asks for, in PHP.
function escaped(string|int $text): string
{
    return htmlspecialchars((string) $text);
}

function top(string $title, string $said = '', string $wrong = ''): void
{ ?>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title><?= escaped($title) ?> · www.foobar.com</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<a class="brand" href="/">foobar<span>.com</span></a>
<nav><a class="button" href="/users/new">Add a user</a></nav>
</header>
<main id="main">
<?php if ($said): ?><p class="notice good" role="status"><?= escaped($said) ?></p><?php endif ?>
<?php if ($wrong): ?><p class="notice bad" role="alert"><?= escaped($wrong) ?></p><?php endif ?>

<?php }

function bottom(array $answering): void
{ ?>
</main>
<footer>
<dl>
<div><dt>Web server</dt><dd id="web-server"><?= escaped(gethostname()) ?></dd></div>
<div><dt>Database server</dt>
<dd id="database-server"><?= escaped($answering['server']) ?></dd></div>
<div><dt>Its data</dt>
<dd id="data-age"><?= escaped($answering['age']) ?></dd></div>
</dl>
</footer>
</body>
</html>
<?php }

function list_page(array $answering, array $users, string $q, int $page, ?string $before, ?string $after): void
{
    top('Users'); ?>
<h1>Users</h1>
<form class="search" method="get" action="/" role="search">
<label for="q">Name, address or city</label>
<input id="q" type="search" name="q" value="<?= escaped($q) ?>" maxlength="100">
<button>Search</button>
<?php if ($q): ?><a class="button plain" href="/">All users</a><?php endif ?>

</form>
<?php if ($users): ?>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">E-mail</th><th scope="col">City</th>
<th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody>
<?php foreach ($users as $user): ?>
<tr>
<td class="name"><?= escaped($user['name']) ?></td>
<td class="email"><?= escaped($user['email']) ?></td>
<td class="city"><?= escaped($user['city']) ?></td>
<td class="actions"><a href="/users/<?= escaped($user['id']) ?>">Edit<span class="unseen"> <?= escaped($user['name']) ?></span></a>
<a class="danger" href="/users/<?= escaped($user['id']) ?>/remove">Remove<span class="unseen"> <?= escaped($user['name']) ?></span></a></td>
</tr>
<?php endforeach ?>
</tbody>
</table>
<?php else: ?>
<p class="nobody"><?php if ($q): ?>Nobody is found for “<?= escaped($q) ?>”.<?php else: ?>There are no users yet.<?php endif ?></p>
<?php endif ?>
<?php if ($before || $after): ?><nav class="pages" aria-label="Pages">
<?php if ($before): ?><a class="button plain" rel="prev" href="<?= escaped($before) ?>">Previous</a><?php else: ?><span></span><?php endif ?>

<span>Page <?= $page ?></span>
<?php if ($after): ?><a class="button plain" rel="next" href="<?= escaped($after) ?>">Next</a><?php else: ?><span></span><?php endif ?>

</nav><?php endif ?>

<?php
    bottom($answering);
}

function form_page(array $answering, string $action, string $token, array $user): void
{
    top('Edit a user'); ?>
<h1>Edit a user</h1>
<form class="edit" method="post" action="<?= escaped($action) ?>">
<input type="hidden" name="form_token" value="<?= escaped($token) ?>">
<p><label for="name">Name</label>
<input id="name" name="name" value="<?= escaped($user['name']) ?>" maxlength="100" required autocomplete="off"></p>
<p><label for="email">E-mail</label>
<input id="email" name="email" type="email" value="<?= escaped($user['email']) ?>" maxlength="200" required autocomplete="off"></p>
<p><label for="city">City</label>
<input id="city" name="city" value="<?= escaped($user['city']) ?>" maxlength="100" autocomplete="off"></p>
<p class="choice"><button>Save</button> <a class="button plain" href="/">Cancel</a></p>
</form>
<?php
    bottom($answering);
}
