"""The tutorial web application: lessons whose labs run on the engine, and flash cards.

Everything here needs the extra `site`; `slopewise.site.app` makes the application.
"""
