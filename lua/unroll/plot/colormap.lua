--- Colour maps: from 0..1 to colours, and from values to 0..1.
--
-- A map is kept as every fifth of its 256 colours and interpolated, which is within 4/255 of
-- the original. viridis, cividis and magma are perceptually uniform and readable without
-- colour vision; RdBu_r (Brewer) diverges from white.

local options = require "unroll.plot.options"
local scale = require "unroll.plot.scale"

local colormap = {}

local sources = {
  viridis = [[
    440154 46085c 471063 481769 481d6f 482475 472a7a 46307e 453781 433d84 414287 3f4889
    3d4e8a 3a538b 38598c 355e8d 33638d 31688e 2e6d8e 2c718e 2a768e 297b8e 27808e 25848e
    23898e 218e8d 20928c 1f978b 1e9c89 1fa188 21a585 24aa83 28ae80 2eb37c 35b779 3dbc74
    46c06f 50c46a 5ac864 65cb5e 70cf57 7cd250 89d548 95d840 a2da37 b0dd2f bddf26 cae11f
    d8e219 e5e419 f1e51d fde725 ]],
  cividis = [[
    00224e 002656 002a5f 002d68 003070 083370 163770 203a6f 273e6e 2e416d 34456c 3a486c
    3f4c6c 444f6c 49536c 4e566c 535a6d 575d6d 5c616e 60646f 656870 696b71 6d6f72 727274
    767676 7a7a78 7e7d78 838179 888578 8d8878 928c78 969077 9b9476 a09875 a59c74 aaa073
    afa471 b5a86f baac6d bfb06b c4b468 c9b965 cfbd62 d4c15f dac65b dfca57 e5cf52 ead34c
    f0d846 f6dd3f fce236 fee838 ]],
  magma = [[
    000004 02020b 050416 090720 0e0b2b 140e36 1a1042 21114e 29115a 311165 390f6e 420f75
    4a1079 52137c 5a167e 621980 6a1c81 721f81 792282 812581 892881 912b81 992d80 a1307e
    aa337d b2357b ba3878 c23b75 ca3e72 d2426f d9466b e04c67 e75263 ec5860 f1605d f4695c
    f7725c f97b5d fb8560 fc8e64 fd9869 fea16e feaa74 feb47b febd82 fec68a fecf92 fed89a
    fde2a3 fdebac fcf4b6 fcfdbf ]],
  greys = [[
    ffffff fdfdfd fafafa f8f8f8 f6f6f6 f3f3f3 f1f1f1 eeeeee eaeaea e7e7e7 e3e3e3 dfdfdf
    dcdcdc d8d8d8 d4d4d4 cfcfcf cbcbcb c6c6c6 c2c2c2 bebebe b8b8b8 b2b2b2 ababab a5a5a5
    9f9f9f 999999 939393 8e8e8e 888888 838383 7d7d7d 787878 727272 6d6d6d 686868 636363
    5e5e5e 585858 535353 4d4d4d 464646 3f3f3f 383838 303030 292929 232323 1d1d1d 171717
    111111 0c0c0c 060606 000000 ]],
  RdBu_r = [[
    053061 0a3b70 10457e 15508d 1b5a9c 2065ab 276eb0 2e77b5 3480b9 3b88be 4291c2 4f9bc7
    5fa5cd 6eaed2 7eb8d7 8dc2dc 9bc9e0 a7d0e4 b3d6e8 c0dceb cce2ef d5e7f1 ddebf2 e4eef4
    ecf2f5 f3f5f6 f8f4f2 f9efe9 fae9df fbe4d6 fcdecd fcd7c2 fbccb4 f9c2a7 f7b799 f5ac8b
    f2a17f ec9374 e6866a e17860 db6b55 d55d4c ce4f45 c6413e bf3338 b82531 b1182b a21328
    930e26 840924 760521 67001f ]],
}

local count, stride = 256, 5

local tables = {} -- made when first used: name -> 256 times r, g, b

local function make_table(source)
  local known, bytes = {}, {}
  for r, g, b in source:gmatch("(%x%x)(%x%x)(%x%x)") do
    known[#known + 1] = { tonumber(r, 16), tonumber(g, 16), tonumber(b, 16) }
  end
  for i = 0, count - 1 do
    local at, part = i // stride + 1, i % stride / stride
    for k = 1, 3 do
      local from, to = known[at][k], (known[at + 1] or known[at])[k]
      bytes[#bytes + 1] = string.char(math.floor(from + (to - from) * part + 0.5))
    end
  end
  return table.concat(bytes)
end

--- 256 times r, g, b as bytes.
function colormap.table(name)
  tables[name] = tables[name] or make_table(sources[name])
  return tables[name]
end

--- Is there a map of that name?
function colormap.check(who, name)
  if not sources[name] then
    options.misuse("%s: unknown colour map %s", who, options.describe_unknown(name, sources))
  end
  return name
end

--- The colour at part t (0..1) of a map.
function colormap.at(name, t)
  local i = math.floor(math.max(0, math.min(1, t)) * (count - 1) + 0.5)
  return ("#%02x%02x%02x"):format(colormap.table(name):byte(3 * i + 1, 3 * i + 3))
end

-- --- norms ---------------------------------------------------------------------------

local around = {
  linear = function(low, high) return { scale = scale.linear, low = low, high = high } end,
  log = function(low, high) return { scale = scale.log, low = low, high = high } end,
}

-- As far below the centre as above it.
function around.centred(low, high, center)
  local most = math.max(high - center, center - low)
  return { scale = scale.linear, low = center - most, high = center + most }
end

--- From values to 0..1: {scale, low, high}.
---@param kind string "linear", "log" or "centred"
---@param low number|nil lowest value; nil when there are none
---@param high number|nil
---@param center number of "centred"
function colormap.norm(kind, low, high, center)
  local s = kind == "log" and scale.log or scale.linear
  if not low then low, high = s.empty[1], s.empty[2] end
  local norm = around[kind](low, high, center)
  if norm.low == norm.high then norm.low, norm.high = scale.around(s, norm.low) end
  return norm
end

--- The part of the map at which a value lies; NaN when it has none.
function colormap.part(norm, v)
  local f = norm.scale.forward
  if norm.scale.positive and v <= 0 then return 0 / 0 end
  return (f(v) - f(norm.low)) / (f(norm.high) - f(norm.low))
end

return colormap
