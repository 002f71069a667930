-- test_text_quality.lua -- the measures of generated text, on samples with known answers.
local lu = require "luaunit"
local quality = require "unroll.text.quality"

TestQuality = {}

function TestQuality.test_shares_sum_to_one_and_count_characters_not_bytes()
  local shares = quality.shares "éaéb"
  lu.assertAlmostEquals(shares["é"], 0.5, 1e-15)
  lu.assertAlmostEquals(shares.a + shares.b + shares["é"], 1, 1e-15)
  lu.assertEquals(quality.shares("abab", 2), { ab = 2 / 3, ba = 1 / 3 })
  lu.assertEquals(quality.shares("a", 2), {})
end

function TestQuality.test_distance_is_zero_for_the_same_and_one_for_disjoint()
  lu.assertEquals(quality.distance({ a = 1 }, { a = 1 }), 0)
  lu.assertEquals(quality.distance({ a = 1 }, { b = 1 }), 1)
  lu.assertAlmostEquals(quality.distance({ a = .5, b = .5 }, { a = 1 }), 0.5, 1e-15)
end

function TestQuality.test_longest_copy()
  lu.assertEquals({ quality.longest_copy("xxhello yy", "say hello you") }, { 7, 3 })
  lu.assertEquals({ quality.longest_copy("zzz", "abc") }, { 0, 1 })
  lu.assertEquals((quality.longest_copy("abcabc", "abcabcabc")), 6)
  lu.assertEquals((quality.longest_copy("", "abc")), 0)
end

-- The short way gives what trying every run gives.
function TestQuality.test_longest_copy_against_brute_force()
  math.randomseed(7)
  local function random_text(n)
    local out = {}
    for i = 1, n do out[i] = math.random(2) == 1 and "a" or "b" end
    return table.concat(out)
  end
  for _ = 1, 50 do
    local sample, text, longest = random_text(20), random_text(30), 0
    for i = 1, #sample do
      for j = i, #sample do
        if text:find(sample:sub(i, j), 1, true) then longest = math.max(longest, j - i + 1) end
      end
    end
    lu.assertEquals((quality.longest_copy(sample, text)), longest)
  end
end

function TestQuality.test_followers()
  lu.assertEquals(quality.followers("4567890123", ("0123456789"):rep(3)), 1)
  lu.assertAlmostEquals(quality.followers("012401", ("0123456789"):rep(3)), 3 / 5, 1e-15)
end

function TestQuality.test_known_words_ignore_the_cut_ones()
  lu.assertEquals(quality.known_words("ve the cat sa", "The cat sat"), 1)
  lu.assertEquals(quality.known_words("x the dog y", "The cat sat"), 0.5)
end

function TestQuality.test_lines_that_tokenise()
  local good = { "local x = 1", "a['b\\'c'] = 0x1F .. [[z]]", "-- any ' thing", "x = 3.5e-3",
                 "y = 1-2+0x1p-4", "f{...} // 2 ~= 1", "", "  return function(a) end" }
  local bad = { "x = 'open", "a @ b", "3x", "x = [[open", "what?", "`", "1.2.3" }
  for _, line in ipairs(good) do lu.assertTrue(quality.tokenises(line), line) end
  for _, line in ipairs(bad) do lu.assertFalse(quality.tokenises(line), line) end
  lu.assertEquals(quality.lua_lines "cut 'line\nx = 1\n\ny = 'bad\ncut '", 0.5)
end

function TestQuality.test_wrong_types_are_named()
  lu.assertErrorMsgContains("shares: text must be a string, got number", quality.shares, 3)
  lu.assertErrorMsgContains("longest_copy: text must be a string", quality.longest_copy, "a")
end
