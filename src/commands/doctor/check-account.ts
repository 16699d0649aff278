import type { Config } from '../../config/load.ts'
import { Failure } from '../../core/failure.ts'
import { STARTED_CLASS } from '../../core/started.ts'
import { listAddOns } from '../../rest/abilities.ts'
import { toRestFailure } from '../../rest/query.ts'
import type { RestClient } from '../../rest/client.ts'
import { listEventsIntegrations } from '../../rest/look-up-key.ts'
import { describeOnCalls, listOnCalls, personName } from '../../rest/on-call.ts'
import { findSuspendRule } from '../../rest/suspend-rule.ts'
import { describeService, USER_ANSWER, type Service } from '../../rest/resources.ts'
import { findService, listServices } from '../../rest/service.ts'
import { failed, fromFailure, ok, warning, type Finding } from './finding.ts'

const MAX_NAMED = 10

/** What the REST API reports about the token, the account and the service. */
export async function checkAccount(client: RestClient, config: Config): Promise<Finding[]> {
  const token = await checkToken(client, config)
  if (token.status === 'failed') return [token]
  const [addOn, service] = await Promise.all([
    caught('change events', () => checkAddOn(client)),
    caught('service', () => checkService(client, config)),
  ])
  return [token, ...addOn, ...service]
}

async function caught(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof Failure) return [fromFailure(check, error)]
    throw error
  }
}

/** `/users/me` answers 400 for an account-level token: that is its kind, not an error. */
async function checkToken(client: RestClient, { rest }: Config): Promise<Finding> {
  const result = await client.call({ method: 'GET', path: '/users/me' })
  if (result.kind === 'answered') {
    const { id, name, role = 'no known role' } = USER_ANSWER.safeParse(result.body).data?.user ?? {}
    const who = personName({ id, summary: name })
    return ok('REST token', `belongs to ${who} (${role}), whose permissions it has`)
  }
  if (result.kind === 'refused' && (result.status === 400 || result.status === 403)) {
    const name = rest.from === undefined ? 'writes need PAGERDUTY_FROM' : 'writes are made as PAGERDUTY_FROM'
    return ok('REST token', `belongs to the account: ${name}, and a key that is not read-only`)
  }
  return fromFailure(
    'REST token',
    toRestFailure(result, { purpose: 'tell what kind of token this is', scope: 'users.read' }),
  )
}

async function checkAddOn(client: RestClient): Promise<Finding[]> {
  const [named] = await listAddOns(client)
  if (named !== undefined) return [ok('change events', `the account has ${named}`)]
  return [
    warning(
      'change events',
      'none of the account’s abilities is AIOps, the add-on that makes PagerDuty show change events',
      'look at the service’s Recent Changes after a deployment; if none are shown there, use --as alert',
    ),
  ]
}

async function checkService(client: RestClient, { rest, delivery, started }: Config): Promise<Finding[]> {
  if (rest.service === undefined) {
    const services = (await listServices(client)).slice(0, MAX_NAMED).map(describeService).join(', ')
    const seen = services === '' ? 'the token sees none' : `the token sees ${services}`
    return [warning('service', `no service is named; ${seen}`, 'set PAGERDUTY_SERVICE_ID or --service')]
  }
  const service = await findService(client, rest.service)
  const [integrations, onCall, suspendRule] = await Promise.all([
    listEventsIntegrations(client, service),
    caught('on call', () => checkOnCall(client, service)),
    started.isSuspended ? caught('suspend rule', () => checkSuspendRule(client, service)) : [],
  ])
  const keys = new Set(integrations.map((integration) => integration.integration_key))
  const known = delivery.keys.map(({ alias, key }) =>
    keys.has(key.reveal())
      ? ok('integration', `the service has the key ${alias}`)
      : failed('integration', 'config', {
          detail: `no integration of ${describeService(service)} has the key ${alias}; PagerDuty drops events with the key of a deleted integration`,
          advice: 'copy the Integration Key again, or unset it so that it is looked up',
        }),
  )
  const lookedUp = delivery.keys.length === 0 && delivery.relay === undefined
  return [
    checkStatus(service),
    ...(lookedUp ? [checkLookUp(integrations.length, rest)] : known),
    ...onCall,
    ...suspendRule,
  ]
}

function checkLookUp(count: number, { integrationId }: Config['rest']): Finding {
  if (count === 1 || (count > 1 && integrationId !== undefined))
    return ok('integration', 'the service has an Events API v2 integration')
  return failed('integration', 'config', {
    detail:
      count === 0
        ? 'the service has no Events API v2 integration'
        : `the service has ${count} Events API v2 integrations`,
    advice: count === 0 ? 'add "Events API V2" to the service' : 'choose one with PAGERDUTY_INTEGRATION_ID',
  })
}

function checkStatus(service: Service): Finding {
  const { status = 'unknown' } = service
  const detail = `${describeService(service)} is ${status}`
  if (status === 'disabled')
    return failed('service', 'config', {
      detail,
      advice: 'enable it in PagerDuty; until then it drops events',
    })
  if (status === 'maintenance')
    return warning(
      'service',
      `${detail}: events are dropped`,
      'end the maintenance window, or wait for its end',
    )
  return ok('service', detail)
}

async function checkOnCall(client: RestClient, service: Service): Promise<Finding[]> {
  const who = describeOnCalls(await listOnCalls(client, service), Date.now())
  if (who !== undefined) return [ok('on call', `a failure pages ${who}`)]
  return [
    failed('on call', 'config', {
      detail: 'nobody: an alert would page no one',
      advice: 'put somebody on the service’s escalation policy or its schedule',
    }),
  ]
}

/** Without the rule, the alert that says a deployment has begun pages at once. */
async function checkSuspendRule(client: RestClient, service: Service): Promise<Finding[]> {
  const rule = await findSuspendRule(client, service.id, STARTED_CLASS)
  if (typeof rule === 'object')
    return [ok('suspend rule', `alerts of the class ${STARTED_CLASS} are held back for ${rule.seconds} s`)]
  const detail =
    rule === 'inactive'
      ? `${describeService(service)} does not use its event orchestration, which has the rule: --suspended pages at once`
      : `no rule of ${describeService(service)} holds back the class ${STARTED_CLASS}: --suspended pages at once`
  const advice = `in PagerDuty open the service, Settings, Event Orchestration: if event.class matches '${STARTED_CLASS}', pause incident notifications for as long as a deployment may take`
  return [failed('suspend rule', 'config', { detail, advice })]
}
