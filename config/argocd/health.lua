-- SPDX-License-Identifier: Apache-2.0
-- What Argo CD shows as the health of a Celery. docs/gitops.md says where it goes.
local hs = { status = "Progressing", message = "Waiting for the operator" }

if obj.status == nil or obj.status.conditions == nil then
  return hs
end
if obj.metadata.generation ~= nil and obj.status.observedGeneration ~= obj.metadata.generation then
  hs.message = "Waiting for the operator to see the newest spec"
  return hs
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local function holds(name)
  return conditions[name] ~= nil and conditions[name].status == "True"
end
local function told(name)
  local condition = conditions[name]
  if condition.message == nil or condition.message == "" then
    return condition.reason
  end
  return condition.reason .. ": " .. condition.message
end

-- A pause that was asked for is no fault; what cannot run is one, paused or not.
if holds("Stalled") and conditions["Stalled"].reason ~= "Paused" then
  hs.status = "Degraded"
  hs.message = told("Stalled")
elseif holds("Paused") then
  hs.status = "Suspended"
  hs.message = told("Paused")
elseif holds("Ready") then
  hs.status = "Healthy"
  hs.message = conditions["Ready"].message
elseif conditions["Ready"] ~= nil then
  hs.message = told("Ready")
end
return hs
