// The site's pages as templates; see App::add_template.
#pragma once

#include <string_view>

inline constexpr std::string_view kTop = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}} · www.foobar.com</title>
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
{{#if waits}}<p class="notice waits" role="status"><strong>Changes must wait.</strong>
The database has no primary server just now, so nothing can be added, edited or removed.
Everything can be read.</p>{{/if}}
{{#if said}}<p class="notice good" role="status">{{said}}</p>{{/if}}
{{#if wrong}}<p class="notice bad" role="alert">{{wrong}}</p>{{/if}}
)";

inline constexpr std::string_view kBottom = R"(</main>
<footer>
<dl>
<div><dt>Web server</dt><dd id="web-server">{{web_server}}</dd></div>
<div><dt>Database server</dt>
<dd id="database-server">{{#if database_server}}{{database_server}}, {{database_role}}{{else}}not
asked{{/if}}</dd></div>
<div><dt>Its data</dt>
<dd id="data-age">{{#if data_age}}at most {{data_age}} old{{else}}not asked{{/if}}</dd></div>
</dl>
</footer>
</body>
</html>
)";

inline constexpr std::string_view kList = R"({{> top}}
<h1>Users</h1>
<form class="search" method="get" action="/" role="search">
<label for="q">Name, address or city</label>
<input id="q" type="search" name="q" value="{{q}}" maxlength="100">
<button>Search</button>
{{#if q}}<a class="button plain" href="/">All users</a>{{/if}}
</form>
{{#if users}}
<table>
<thead><tr><th scope="col">Name</th><th scope="col">E-mail</th><th scope="col">City</th>
<th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody>
{{#each users}}<tr>
<td class="name">{{name}}</td>
<td class="email">{{email}}</td>
<td class="city">{{city}}</td>
<td class="actions"><a href="/users/{{id}}">Edit<span class="unseen"> {{name}}</span></a>
<a class="danger" href="/users/{{id}}/remove">Remove<span class="unseen"> {{name}}</span></a></td>
</tr>
{{/each}}</tbody>
</table>
{{else}}
<p class="nobody">{{#if q}}Nobody is found for “{{q}}”.{{else}}There are no users yet.{{/if}}</p>
{{/if}}
{{#if paged}}<nav class="pages" aria-label="Pages">
{{#if before}}<a class="button plain" rel="prev" href="{{before}}">Previous</a>{{else}}<span></span>{{/if}}
<span>Page {{page}}</span>
{{#if after}}<a class="button plain" rel="next" href="{{after}}">Next</a>{{else}}<span></span>{{/if}}
</nav>{{/if}}
{{> bottom}})";

inline constexpr std::string_view kForm = R"({{> top}}
<h1>{{title}}</h1>
<form class="edit" method="post" action="{{action}}">
<input type="hidden" name="form_token" value="{{form_token}}">
<p><label for="name">Name</label>
<input id="name" name="name" value="{{name}}" maxlength="100" required autocomplete="off"></p>
<p><label for="email">E-mail</label>
<input id="email" name="email" type="email" value="{{email}}" maxlength="200" required autocomplete="off"></p>
<p><label for="city">City</label>
<input id="city" name="city" value="{{city}}" maxlength="100" autocomplete="off"></p>
<p class="choice"><button>Save</button> <a class="button plain" href="/">Cancel</a></p>
</form>
{{> bottom}})";

inline constexpr std::string_view kRemove = R"({{> top}}
<h1>Remove {{name}}?</h1>
<p>{{name}}, {{email}}, will be gone for good.</p>
<form class="edit" method="post" action="{{action}}">
<input type="hidden" name="form_token" value="{{form_token}}">
<p class="choice"><button class="danger">Remove</button> <a class="button plain" href="/">Keep</a></p>
</form>
{{> bottom}})";

inline constexpr std::string_view kProblem = R"({{> top}}
<h1>{{title}}</h1>
<p><a href="/">To the users</a></p>
{{> bottom}})";
