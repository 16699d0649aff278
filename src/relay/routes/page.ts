import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { SESSION_COOKIE, SESSION_SECONDS } from '../access.ts'
import { parseObject, takeForms, takeJson } from '../body.ts'
import type { Call } from '../context.ts'
import { answering, jsonContent, toSchema, type RouteGroup } from '../describe-route.ts'
import type { Form } from '../parse-form.ts'
import { sendProblem, type Problem } from '../problem.ts'
import { sendJson } from '../result.ts'
import { createWrongTokens, type WrongTokens } from '../wrong-tokens.ts'

/** The files of the page by their paths, with their types. */
const FILES = {
  '/ui/page.css': 'text/css',
  '/ui/page.js': 'text/javascript',
  '/ui/icon.svg': 'image/svg+xml',
} as const

const LOG_IN_SCHEMA = z.object({ token: z.string().describe('The relay’s token, or its view token.') })

/** The web page, and its sessions. `routes/status.ts` answers its address. */
export const PAGE_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    if (!deps.isPageOn) return
    takeJson(app)
    takeForms(app)
    for (const path of Object.keys(FILES) as (keyof typeof FILES)[])
      app.get(path, async (request, reply) => {
        const { sendFile } = await import('../send-file.ts')
        return sendFile(request, reply, path)
      })
    const wrongTokens = createWrongTokens(() => performance.now())
    app.post('/ui/session', async (request, reply) => logIn({ request, reply, deps }, wrongTokens))
    app.delete('/ui/session', (request, reply) => logOut(request, reply))
  },
  paths: {
    ...Object.fromEntries(
      Object.entries(FILES).map(([path, mediaType]) => [
        path,
        { get: answering('A file of the web page', { description: 'the file', mediaType }, [404]) },
      ]),
    ),
    '/ui/session': {
      post: {
        ...answering(
          'Log in to the page: sets a cookie for 12 hours, which is valid for the routes of the page only; 303 after a form',
          { description: 'logged in, or no login is needed' },
          [401, 404, 429],
        ),
        requestBody: {
          required: true,
          content: {
            ...jsonContent('LogIn'),
            'application/x-www-form-urlencoded': jsonContent('LogIn')['application/json'],
          },
        },
      },
      delete: answering('Log out', { description: 'logged out' }, [404]),
    },
  },
  schemas: { LogIn: toSchema(LOG_IN_SCHEMA) },
}

/** Answers a browser that opens the relay's address: with the current state, or with a form to log in. */
export async function showPage({ request, reply, deps }: Call): Promise<FastifyReply> {
  const { access } = deps
  const { sendPage } = await import('../send-file.ts')
  if ((access.byToken(request.headers) ?? access.bySession(request.headers)) === undefined)
    return sendPage(request, reply, { login: {} })
  const { nowTables, readNow } = await import('../now-tables.ts')
  const now = nowTables(await readNow(deps))
  return sendPage(request, reply, { now: deps.hide?.(now) ?? now })
}

async function logIn({ request, reply, deps }: Call, wrongTokens: WrongTokens): Promise<FastifyReply> {
  const isForm = typeof request.body !== 'string'
  const { data } = LOG_IN_SCHEMA.safeParse(
    isForm ? membersOf(request.body as Form | undefined) : parseObject(request.body),
  )
  const refuse = async (problem: Problem): Promise<FastifyReply> => {
    if (!isForm) return sendProblem(reply, problem)
    const { sendPage } = await import('../send-file.ts') // the browser runs no script, and shows what comes
    return sendPage(request, reply.code(problem.status), { login: { problem: problem.detail } })
  }
  const isOpen = deps.access.byToken({}) !== undefined
  if (isOpen) return isForm ? reply.redirect('/', 303) : sendJson(reply, 200, { logged_in: false })
  if (wrongTokens.isBlocked(request.ip))
    return await refuse({
      status: 429,
      detail: 'too many wrong tokens; wait a minute',
      retryAfterSeconds: 60,
    })
  const value = data === undefined ? undefined : deps.access.logIn(data.token.trim())
  if (value === undefined) {
    wrongTokens.note(request.ip)
    return await refuse({ status: 401, detail: 'this is not the relay’s token' })
  }
  void reply.header('set-cookie', cookie(request.headers['x-forwarded-proto'], value, SESSION_SECONDS))
  return isForm ? reply.redirect('/', 303) : sendJson(reply, 200, { logged_in: true })
}

function logOut({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.header('set-cookie', cookie(headers['x-forwarded-proto'], '', 0))
  return sendJson(reply, 200, { logged_in: false })
}

function membersOf(form: Form | undefined): unknown {
  return form !== undefined && 'members' in form ? form.members : undefined
}

/** @param proto how the browser has reached a proxy that ends TLS */
function cookie(proto: string | string[] | undefined, value: string, seconds: number): string {
  const secure = proto === 'https' ? '; Secure' : ''
  return `${SESSION_COOKIE}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}${secure}`
}
