"""The certificate to download."""

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.routes import HEADERS, actor_of
from portal_app.errors import Denied, NotFound
from portal_app.learning import service
from portal_app.learning.certificate import document
from portal_app.learning.words import PATH


@guard.partners()
async def download(request: Request) -> Response:
    """GET /learning/certificates/LH-2026-0A1B2C3D4E.pdf: the person's own."""
    number = request.path_params["number"]
    try:
        actor = await actor_of(request, download)
        found = await db.look(service.certificate, actor, number)
    except Denied:
        # The page says why, or asks to sign in first; a file would leave the sign-in page standing.
        return RedirectResponse(PATH, 303, headers=HEADERS)
    except NotFound as refusal:
        return PlainTextResponse(refusal.sentence, 404, headers=HEADERS)
    made = await anyio.to_thread.run_sync(document, found, actor.time_zone)
    name = {"Content-Disposition": f'attachment; filename="certificate-{found.number}.pdf"'}
    return Response(made, media_type="application/pdf", headers=HEADERS | name)


routes = [Route("/learning/certificates/{number}.pdf", download, methods=["GET"])]
