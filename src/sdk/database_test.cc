#include <trilith/database.h>

#include <doctest/doctest.h>
