std = "lua54"
max_line_length = 100
unused_args = false
globals = { "unroll" }
files["tests"] = { globals = { "arg" }, read_globals = { "luaunit" } }
