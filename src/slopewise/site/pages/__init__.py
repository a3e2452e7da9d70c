"""The pages, a router for each subject. A route is added with `slopewise.site.policies.route`."""
