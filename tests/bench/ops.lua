-- ops.lua -- times operations on tensors; scripts/bench runs it beside peers/ops.py, which
-- has the same cases under the same names.
--
--   unroll tests/bench/ops.lua [PATTERN]      lines "case seconds", the median of the runs
local core = require "unroll.core"
local unroll = require "unroll"
local tensor = unroll.tensor

local clock = core.sys.clock
local pattern = arg[1] or ""
local rounds = tonumber(arg[2] or 7)

-- The median over some rounds of the seconds that a call of f takes.
local function seconds_of(f)
  f()
  local count, elapsed = 1, 0
  while elapsed < 1e-3 do
    count = count * 4
    local start = clock()
    for _ = 1, count do f() end
    elapsed = clock() - start
  end
  count = math.max(1, math.floor(count * 3e-3 / elapsed))
  local times = {}
  for round = 1, rounds do
    local start = clock()
    for _ = 1, count do f() end
    times[round] = (clock() - start) / count
  end
  table.sort(times)
  return times[(rounds + 1) // 2]
end

local function case(name, make)
  if not name:find(pattern) then return end
  collectgarbage()
  print(("%s %.4g"):format(name, seconds_of(make())))
end

-- --- tiny: what a call costs ------------------------------------------------------------

case("call/empty", function()
  local t = tensor.ones(8)
  return function() return t:dim() end -- a C function that does next to nothing
end)
case("tiny/add_", function()
  local t, u = tensor.zeros(8), tensor.zeros(8)
  return function() t:add_(u) end
end)
case("tiny/add_number", function()
  local t = tensor.zeros(8)
  return function() t:add_(1) end
end)
case("tiny/mul_out", function()
  local t, u, out = tensor.zeros(8), tensor.zeros(8), tensor.zeros(8)
  local mul = tensor.mul
  return function() mul(t, u, out) end
end)
case("tiny/add_row", function()
  local t, u = tensor.zeros(4, 8), tensor.zeros(8)
  return function() t:add_(u) end
end)
case("tiny/add_new", function()
  local t, u = tensor.zeros(8), tensor.zeros(8)
  return function() return t + u end
end)
case("tiny/tanh_", function()
  local t = tensor.zeros(8)
  return function() t:tanh_() end
end)
case("tiny/sum", function()
  local t = tensor.zeros(8)
  return function() return t:sum() end
end)
case("tiny/sum_dim", function()
  local t, out = tensor.zeros(4, 8), tensor.zeros(4)
  return function() return t:sum(2, nil, out) end
end)
case("tiny/copy_", function()
  local t, u = tensor.zeros(8), tensor.zeros(8)
  return function() t:copy_(u) end
end)
case("tiny/matmul", function()
  local a, b, out = tensor.ones(8, 8), tensor.ones(8, 8), tensor.ones(8, 8)
  local matmul = tensor.matmul
  return function() matmul(a, b, out) end
end)
case("tiny/new_dim_max", function()
  local t = tensor.zeros(4, 8)
  return function() return t:max(2) end
end)
case("tiny/norm_dim", function()
  local t = tensor.ones(4, 8)
  return function() return t:norm(2, 2) end
end)
case("tiny/softmax", function()
  local t = tensor.zeros(8)
  return function() return t:softmax(1) end
end)
case("tiny/sort", function()
  local t = tensor.rand(8)
  return function() return t:sort() end
end)
case("tiny/cat", function()
  local list = { tensor.zeros(8), tensor.zeros(8) }
  local cat = tensor.cat
  return function() return cat(list) end
end)
case("tiny/where", function()
  local c, a, b = tensor.rand(8):lt(0.5), tensor.zeros(8), tensor.ones(8)
  local where = tensor.where
  return function() return where(c, a, b) end
end)
case("tiny/transposed", function()
  local a, b, out = tensor.zeros(4, 4), tensor.zeros(4, 4):t(), tensor.zeros(4, 4)
  local add = tensor.add
  return function() add(a, b, out) end
end)
case("tiny/clone", function()
  local t = tensor.zeros(8)
  return function() return t:clone() end
end)
case("tiny/index", function()
  local t = tensor.zeros(8)
  return function() return t[3] end
end)
case("tiny/setindex", function()
  local t = tensor.zeros(8)
  return function() t[3] = 1 end
end)

-- --- large: what memory allows ----------------------------------------------------------

local n, side = 1 << 22, 2048
for _, dtype in ipairs { "float32", "float64" } do
  local like = { dtype = dtype }
  local function square() return tensor.rand(side, side, like) end
  local function large(name, make) case(("large/%s/%s"):format(name, dtype), make) end
  local function unary(name, method)
    large(name, function()
      local x, f = square(), tensor[method]
      local out = f(x)
      return function() f(x, out) end
    end)
  end
  local function binary(name, method, make_a, make_b)
    large(name, function()
      local a, b, f = make_a(), make_b(), tensor[method]
      local out = f(a, b)
      return function() f(a, b, out) end
    end)
  end
  local function reduced(name, method, dim, rows, columns)
    large(name, function()
      local x = tensor.rand(rows or side, columns or side, like)
      if not dim then return function() return x[method](x) end end
      local out, indices = x[method](x, dim)
      return function() x[method](x, dim, nil, out, indices) end
    end)
  end

  large("memcpy", function()
    local a, b = tensor.zeros(n, like), tensor.rand(n, like)
    return function() a:copy_(b) end
  end)
  large("copy_transposed", function()
    local a, b = square(), square()
    return function() a:copy_(b:t()) end
  end)
  large("copy_permuted", function()
    local a, b = tensor.zeros(32, 64, 2048, like), tensor.rand(64, 32, 2048, like)
    return function() a:copy_(b:permute(2, 1, 3)) end
  end)
  large("copy_permuted_last", function()
    local a, b = tensor.zeros(32, 2048, 64, like), tensor.rand(32, 64, 2048, like)
    return function() a:copy_(b:permute(1, 3, 2)) end
  end)
  large("copy_strided", function()
    local a, b = tensor.zeros(side, side // 2, like), square()
    local every_second = b[{ {}, { 1, side, 2 } }]
    return function() a:copy_(every_second) end
  end)
  large("fill", function()
    local a = square()
    return function() a:fill_(2.5) end
  end)
  large("clone", function()
    local a = square()
    return function() return a:clone() end
  end)
  large("convert", function()
    local a = square()
    local b = tensor.zeros(side, side, { dtype = dtype == "float32" and "float64" or "float32" })
    return function() b:copy_(a) end
  end)
  binary("add", "add", square, square)
  binary("add_transposed", "add", square, function() return square():t() end)
  binary("add_row", "add", square, function() return tensor.rand(side, like) end)
  binary("add_column", "add", square, function() return tensor.rand(side, 1, like) end)
  binary("mul_number", "mul", square, function() return 1.5 end)
  binary("div", "div", square, square)
  binary("pow", "pow", square, function() return 1.7 end)
  binary("maximum", "maximum", square, square)
  binary("atan2", "atan2", square, square)
  binary("number_lt", "lt", function() return 0.5 end, square)
  binary("maximum_strided", "maximum", square,
    function() return tensor.rand(side, 2 * side, like)[{ {}, { 1, 2 * side, 2 } }] end)
  binary("lt", "lt", square, square)
  binary("lt_number", "lt", square, function() return 0.5 end)
  large("add_", function()
    local a, b = square(), square()
    return function() a:add_(b) end
  end)
  large("add_strided_", function()
    local a, b = square()[{ {}, { 1, side, 2 } }], square()[{ {}, { 1, side, 2 } }]
    return function() a:add_(b) end
  end)
  large("where", function()
    local a, b, out = square(), square(), square()
    local c = a:lt(b)
    return function() tensor.where(c, a, b, out) end
  end)
  for _, name in ipairs { "exp", "log", "tanh", "sigmoid", "sqrt", "abs", "sin", "relu", "square",
    "floor", "log1p", "expm1", "cos", "log2", "reciprocal" } do
    unary(name, name)
  end
  large("clamp", function()
    local x, out = square(), square()
    return function() x:clamp(nil, nil, out) end
  end)
  unary("isnan", "isnan")
  large("sqrt_strided", function()
    local x, out = tensor.rand(side, 2 * side, like)[{ {}, { 1, 2 * side, 2 } }], square()
    return function() x:sqrt(out) end
  end)
  large("where_column", function()
    local a, b, out = tensor.rand(side, 1, like), square(), square()
    local c = b:lt(0.5)
    return function() tensor.where(c, a, b, out) end
  end)
  large("equal", function()
    local a = square()
    local b = a:clone()
    return function() return tensor.equal(a, b) end
  end)
  large("arange", function() return function() return tensor.arange(1, n, 1, like) end end)
  large("to_int32", function()
    local a = square():mul(1000):floor_()
    return function() return a:to("int32") end
  end)
  large("index_add_", function()
    local x, out, index = square(), square(), tensor.randperm(side)
    return function() out:index_add_(1, index, x) end
  end)
  for _, name in ipairs { "sum", "max", "argmax", "var", "norm", "logsumexp" } do
    reduced(name, name)
  end
  for _, name in ipairs { "sum", "mean", "max", "argmax", "var", "prod", "logsumexp" } do
    reduced(name .. "_dim1", name, 1)
    reduced(name .. "_dim2", name, 2)
  end
  for _, name in ipairs { "sum", "max", "argmax" } do
    reduced(name .. "_of_4", name, 2, 1 << 20, 4)
    reduced(name .. "_of_4_rows", name, 1, 4, 1 << 20)
  end
  reduced("sum_tall", "sum", 1, 1 << 20, 4)
  large("sum_middle", function()
    local x, out = tensor.rand(64, 256, 256, like), tensor.zeros(64, 256, like)
    return function() x:sum(2, nil, out) end
  end)
  large("sum_transposed_dim2", function()
    local x, out = square():t(), tensor.zeros(side, like)
    return function() x:sum(2, nil, out) end
  end)
  for _, name in ipairs { "sum", "max" } do
    large(name .. "_transposed", function()
      local x = square():t()
      return function() return x[name](x) end
    end)
    large(name .. "_strided_dim2", function()
      local x = tensor.rand(side, 2 * side, like)[{ {}, { 1, 2 * side, 2 } }]
      return function() return x[name](x, 2) end
    end)
  end
  for _, p in ipairs { 3, math.huge } do
    large(("norm_%g_dim1"):format(p), function()
      local x = square()
      return function() return x:norm(p, 1) end
    end)
  end
  large("softmax_transposed", function()
    local x, out = square():t(), square()
    return function() x:softmax(1, out) end
  end)
  large("any", function()
    local x = tensor.zeros(side, side, like)
    return function() return x:any() end
  end)
  for d = 1, 2 do
    large("softmax_dim" .. d, function()
      local x, out = square(), square()
      return function() x:softmax(d, out) end
    end)
    large("cumsum_dim" .. d, function()
      local x, out = square(), square()
      return function() x:cumsum(d, out) end
    end)
    large("cat_dim" .. d, function()
      local a, b = tensor.rand(1024, 1024, like), tensor.rand(1024, 1024, like)
      local out = tensor.cat({ a, b }, d)
      return function() tensor.cat({ a, b }, d, out) end
    end)
    large("index_select_dim" .. d, function()
      local x, out, index = square(), square(), tensor.randperm(side)
      return function() x:index_select(d, index, out) end
    end)
    large("gather_dim" .. d, function()
      local x, out = square(), square()
      local index = tensor.zeros(side, side, { dtype = "int32" })
      for i = 1, side do index[i]:copy_(tensor.randperm(side)) end
      return function() x:gather(d, index, out) end
    end)
  end
  large("stack", function()
    local a, b = tensor.rand(1024, 1024, like), tensor.rand(1024, 1024, like)
    local out = tensor.stack({ a, b }, 3)
    return function() tensor.stack({ a, b }, 3, out) end
  end)
  large("rand", function()
    local a = square()
    return function() a:uniform_() end
  end)
  large("randn", function()
    local a = square()
    return function() a:normal_() end
  end)
  large("sort", function()
    local x = tensor.rand(1 << 20, like)
    local out, indices = x:sort()
    return function() x:sort(1, false, out, indices) end
  end)
  large("sort_rows", function()
    local x = tensor.rand(1024, 1024, like)
    local out, indices = x:sort()
    return function() x:sort(2, false, out, indices) end
  end)
  large("topk", function()
    local x = tensor.rand(1 << 20, like)
    local out, indices = x:topk(10)
    return function() x:topk(10, 1, out, indices) end
  end)
  large("dot", function()
    local a, b = tensor.rand(n, like), tensor.rand(n, like)
    return function() return a:dot(b) end
  end)
  for _, sizes in ipairs { { 32, 32, 32 }, { 256, 256, 256 }, { 1024, 1024, 1024 },
    { 1000, 7, 1000 }, { 7, 1000, 7 }, { 1, 1024, 1024 }, { 1024, 1024, 1 } } do
    local m, k, p = table.unpack(sizes)
    case(("matmul/%dx%dx%d/%s"):format(m, k, p, dtype), function()
      local a, b = tensor.rand(m, k, like), tensor.rand(k, p, like)
      local out = tensor.matmul(a, b)
      return function() tensor.matmul(a, b, out) end
    end)
  end
  case("matmul/transposed/" .. dtype, function()
    local a, b = tensor.rand(512, 512, like):t(), tensor.rand(512, 512, like):t()
    local out = tensor.zeros(512, 512, like)
    return function() tensor.matmul(a, b, out) end
  end)
  case("matmul/batch/" .. dtype, function()
    local a, b = tensor.rand(64, 64, 64, like), tensor.rand(64, 64, 64, like)
    local out = tensor.zeros(64, 64, 64, like)
    return function() tensor.matmul(a, b, out) end
  end)
end

-- --- integers ---------------------------------------------------------------------------

local function integers(name, make)
  case(("large/%s/int32"):format(name), function()
    return make(tensor.randperm(n):view(side, side))
  end)
end
for _, name in ipairs { "sum", "max", "argmax" } do
  integers(name, function(x) return function() return x[name](x) end end)
  integers(name .. "_dim2", function(x) return function() return x[name](x, 2) end end)
end
integers("lt", function(x)
  local y, out = tensor.randperm(n):view(side, side), x:lt(5)
  return function() x:lt(y, out) end
end)
