std = "lua54"
max_line_length = 100
unused_args = false
globals = { "unroll" }
-- Test files define their groups as globals and may set `arg`.
files["tests"] = { allow_defined_top = true, globals = { "arg", "math.random", "math.randomseed" } }
