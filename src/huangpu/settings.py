"""Settings come from the environment: DATABASE_URL and names that begin with HUANGPU_. See docs/reference/settings.md.

A wrong value stops the start with its name. Nothing secret is written here: what is not given is made once and kept in
the data folder, readable by its owner only.
"""

from __future__ import annotations

from huangpu.environment import environment, mail_settings

env = environment()

BASE_APPS = [
    "huangpu.core",
    "huangpu.core.log",
    "huangpu.core.web",
    "huangpu.parties",
    "huangpu.flows.information",
    "huangpu.flows.goods",
    "huangpu.flows.funds",
    "huangpu.flows.commerce",
    "huangpu.flows.process",
]
PAYMENT_APPS = [
    "huangpu.payments.operations",
    "huangpu.payments.reconciliation",
    "huangpu.payments.checkout",
    "huangpu.payments.terminals",
    "huangpu.payments.wallets",
    "huangpu.payments.clearing",
]
MARKET_APPS = ["huangpu.markets.history", "huangpu.markets.tender", "huangpu.markets.auction"]
SECTOR_APPS = ["huangpu.sectors.manufacturing"]
CITY_APPS = ["huangpu.city.board", "huangpu.city.demo"]
CHANNEL_APPS = [
    "huangpu.channels.web",
    "huangpu.channels.api",
    "huangpu.channels.live",
    "huangpu.channels.simulators",
    "huangpu.channels.pos",
    "huangpu.channels.bench",
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.contrib.admin",
    *BASE_APPS,
    *PAYMENT_APPS,
    *MARKET_APPS,
    *SECTOR_APPS,
    *CITY_APPS,
    *CHANNEL_APPS,
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "ninja",
    "procrastinate.contrib.django",
]

SECRET_KEY = env.secret_key
DEBUG = env.debug
ALLOWED_HOSTS = env.allowed_hosts
CSRF_TRUSTED_ORIGINS = env.trusted_origins

DATABASES = {"default": {**env.database, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "parties.Person"

ROOT_URLCONF = "huangpu.channels.web.urls"
WSGI_APPLICATION = "huangpu.channels.web.wsgi.application"

MIDDLEWARE = [
    "huangpu.core.web.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "huangpu.parties.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "huangpu.channels.web.middleware.Zone",
    "huangpu.core.web.idempotency.FormOnceMiddleware",  # the innermost: what it stores is what the view answered
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "huangpu.channels.web.context.frame",
                "huangpu.flows.information.context.notice_count",
                "huangpu.flows.information.context.document_limit",
                "huangpu.flows.process.context.desk_count",
                "huangpu.parties.context.frame",
            ]
        },
    }
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = env.data / "static"
MEDIA_ROOT = env.data / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "documents": {"BACKEND": "huangpu.flows.information.storage.DurableFiles"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_HANDLERS = [
    "huangpu.flows.information.upload.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

globals().update(mail_settings(env.mail_url, env.data))
DEFAULT_FROM_EMAIL = env.mail_from

PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_SIGNUP_REDIRECT_URL = "/organisations/new/"  # who has an account registers an organisation next, or joins one
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.https
X_FRAME_OPTIONS = "DENY"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"  # a room's jobs.py defines its tasks on huangpu.core.jobs.app
# No inline script or style anywhere. Pages connect to this address and to the live streams' port of the same hosts.
_live = [
    f"http{'s' if env.https else ''}://{host}:{env.live_port}" for host in ALLOWED_HOSTS if not host.startswith("[")
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Pico's icons are data: pictures
        "connect-src": ["'self'", *_live],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

CSRF_FAILURE_VIEW = "huangpu.channels.web.errors.csrf_failed"
CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}  # allauth's own limits hold for the rest
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Huangpu"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not env.https  # browsers allow passkeys without TLS at localhost only

HUANGPU = env
